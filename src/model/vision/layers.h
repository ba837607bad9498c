// Layers of networks for pictures [b,h,w,c], as graph builders. States have the names that torchvision gives
// its weights, up to the last word: NAME.weights, NAME.bias; NAME.scale, NAME.shift, NAME.mean, NAME.variance
// of a norm (pretrained.h says which is which).
#pragma once

#include <string>

#include "model/layers.h"
#include "ops/conv.h"

namespace shoestring::model::vision {

// He initialization by what a filter feeds, as torchvision's networks begin: N(0, 2 / (n kh kw / groups)).
Initializer he_fan_out(Fans fans);

struct Conv {
  int64_t filters = 64, kernel = 3, stride = 1;
  int64_t groups = 1;
  int64_t padding = -1;  // on each side; -1: half a kernel, so that stride 1 keeps the size
  bool bias = false;
  InitializerOf weights = he_fan_out;
};
// [b,h,w,c] -> [b,p,q,filters], with NAME.weights [kernel,kernel,c/groups,filters] and NAME.bias.
Value conv(Forward& forward, Value x, const std::string& name, const Conv& layer);

// Over all rows and places of each channel: [b,h,w,c] -> [b,h,w,c].
Value batch_norm(Forward& forward, Value x, const std::string& name, const NormParams& params = {});

// A convolution with a batch norm and an activation: NAME.0 and NAME.1, as torchvision's
// Conv2dNormActivation.
struct ConvNorm {
  Conv conv;
  NormParams norm;
  Activation activation = Activation::relu;
};
Value conv_norm(Forward& forward, Value x, const std::string& name, const ConvNorm& layer);

// The mean over all places: [b,h,w,c] -> [b,c].
Value mean_over_places(Value x);

// Channels weighted by what the whole picture is (Hu, Shen, Sun 2018): x times
// gate(NAME.fc2(f(NAME.fc1(mean)))).
struct SqueezeExcitation {
  int64_t squeezed = 16;
  Activation activation = Activation::relu, gate = Activation::sigmoid;
};
Value squeeze_excitation(Forward& forward, Value x, const std::string& name, const SqueezeExcitation& layer);

// In training a share `rate` of the rows becomes 0 and the others are scaled by 1 / (1 - rate): for a branch
// that is added to its input (Huang and others 2016).
Value stochastic_depth(Forward& forward, Value x, double rate);

// The nearest multiple of 8, at least 8 and no more than a tenth below (Howard and others 2017).
int64_t multiple_of_8(double channels);

}  // namespace shoestring::model::vision
