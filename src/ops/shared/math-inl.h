// Transcendental functions on vectors, right for every argument: Highway's, with infinities, NaN and
// overflow put in order, and the normal distribution and the error function, which it lacks.
#if defined(SHOESTRING_OPS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SHOESTRING_OPS_MATH_INL_H_
#undef SHOESTRING_OPS_MATH_INL_H_
#else
#define SHOESTRING_OPS_MATH_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace shoestring::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> set(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}
template <class D>
inline constexpr bool kSingle = sizeof(hn::TFromD<D>) == 4;

// `y` where x is a number, x itself where it is NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V keep_nan(D, V x, V y) {
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

// e^x; 2 ulp. Highway's takes no argument whose result overflows, and makes 0 of NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V safe_exp(D d, V x) {
  const V highest = set(d, kSingle<D> ? 89.0 : 710.0), lowest = set(d, kSingle<D> ? -105.0 : -1001.0);
  return keep_nan(d, x, hn::Exp(d, hn::Max(hn::Min(x, highest), lowest)));
}

// e^-|x|, never more than 1.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_neg_abs(D d, V x) {
  const V lowest = set(d, kSingle<D> ? -105.0 : -1001.0);
  return keep_nan(d, x, hn::Exp(d, hn::Max(hn::Neg(hn::Abs(x)), lowest)));
}

// Natural logarithm; 2 ulp. Highway's takes positive finite arguments.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V safe_log(D d, V x) {
  using T = hn::TFromD<D>;
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  const V zero = hn::Zero(d), nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
  V y = hn::Log(d, x);
  y = hn::IfThenElse(hn::Lt(x, infinity), y, x);  // infinity and NaN
  y = hn::IfThenElse(hn::Gt(x, zero), y, hn::IfThenElse(hn::Lt(x, zero), nan, hn::Neg(infinity)));
  return keep_nan(d, x, y);
}

// log(1 + x); 3 ulp. log(y) x / (y - 1) for the rounded y = 1 + x, whose error cancels (Kahan).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V safe_log1p(D d, V x) {
  const V one = set(d, 1.0), y = hn::Add(x, one), rounded = hn::Sub(y, one);
  const V tiny =
      hn::IfThenElse(hn::Eq(rounded, hn::Zero(d)), x, hn::Mul(safe_log(d, y), hn::Div(x, rounded)));
  return hn::IfThenElse(hn::Eq(x, hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity())), x, tiny);
}

// Sine and cosine; 2 ulp, next to their zeros too. Highway's reduce angles up to 39000; a vector with a
// larger one, or with an infinity, goes through the C library.
template <class D, class V>
HWY_INLINE bool all_small_angles(D d, V x) {
  return hn::AllTrue(d, hn::Le(hn::Abs(x), set(d, 39000.0)));
}
template <class D, class V, class F>
HWY_NOINLINE V one_by_one(D d, V x, F f) {
  HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(d)];
  hn::Store(x, d, lanes);
  for (size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = f(lanes[i]);
  return hn::Load(d, lanes);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V sin_of(D d, V x) {
  if (HWY_LIKELY(all_small_angles(d, x))) return hn::Sin(d, x);
  return one_by_one(d, x, [](hn::TFromD<D> lane) { return std::sin(lane); });
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V cos_of(D d, V x) {
  if (HWY_LIKELY(all_small_angles(d, x))) return hn::Cos(d, x);
  return one_by_one(d, x, [](hn::TFromD<D> lane) { return std::cos(lane); });
}

// 1 / (1 + e^-x), by e^-|x| so that nothing overflows and small results keep their digits.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V stable_sigmoid(D d, V x) {
  const V e = exp_neg_abs(d, x), one = set(d, 1.0);
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

// log(1 + e^-|x|).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log1p_exp_neg_abs(D d, V x) {
  const V e = exp_neg_abs(d, x);
  return keep_nan(d, e, hn::Log1p(d, e));
}

// The normal distribution's density and cumulative probability at x.
//
// For a = |x|: P(X < -a) = exp(-a^2/2) R(a), where R (Mills' ratio over sqrt(2 pi)) is smooth and falls
// slowly. With t = 1/(1 + c a), R/t is a polynomial in t: the Chebyshev interpolant over
// 0 <= a <= 14.5 (f32, c = 0.3, degree 9, error 1e-8) or 39 (f64, c = 0.2, degree 20, error 4e-16),
// beyond which exp(-a^2/2) is 0. Written in powers of s, t mapped to [-1, 1], where the coefficients
// fall so fast that nothing cancels. Relative error over all x at most 3e-7 and 2e-15; fitted in
// 40 digits from erfc.
template <class V>
struct Normal {
  V density, probability;
};
template <class D, class V = hn::Vec<D>>
HWY_INLINE Normal<V> normal_at(D d, V x) {
  const V one = set(d, 1.0);
  const V a = hn::Min(hn::Abs(x), set(d, kSingle<D> ? 14.5 : 39.0));
  const V t = hn::Div(one, hn::MulAdd(a, set(d, kSingle<D> ? 0.3 : 0.2), one));
  V p;
  if constexpr (kSingle<D>) {
    constexpr float k[] = {0.25593989607520656582f,     0.16251608830341288906f,
                           0.067650730476546474851f,    0.015163734328642810868f,
                           -0.00029627191378036716139f, -0.0010072706002100053577f,
                           -0.00004328179643408877066f, 0.000080856855355588592324f,
                           1.7287250490872500755e-6f,   -6.2118321321322187251e-6f};
    const V s = hn::MulAdd(t, set(d, 2.4597701149425287356), set(d, -1.4597701149425287356));
    p = hn::Set(d, k[9]);
    for (int i = 8; i >= 0; --i) p = hn::MulAdd(p, s, hn::Set(d, k[i]));
  } else {
    constexpr double k[] = {
        0.17033792891176728196,      0.14024520173287391188,    0.096797979149959517418,
        0.055443694420701070573,     0.025734013027077725025,   0.0091945865961896570448,
        0.0022130755982052172394,    0.00017254971327875818765, -0.00010487029549281462731,
        -0.000038645454728724783715, 8.9422862173152363937e-7,  3.5617790220880348619e-6,
        3.7127856916854425117e-7,    -3.1645991787162031971e-7, -5.8992338889897827839e-8,
        3.1554216662490857924e-8,    6.9253721954657158694e-9,  -3.3429163733788777848e-9,
        -6.6974259416379464531e-10,  2.577131803986999152e-10,  4.1569135335797499874e-11};
    const V s = hn::MulAdd(t, set(d, 2.2564102564102564103), set(d, -1.2564102564102564103));
    p = hn::Set(d, k[20]);
    for (int i = 19; i >= 0; --i) p = hn::MulAdd(p, s, hn::Set(d, k[i]));
  }
  // exp(-a^2/2) from the rounded square and its rounding error, which would grow with a.
  const V square = hn::Mul(a, a), half = set(d, 0.5);
  const V lost = hn::MulSub(a, a, square);
  const V e = hn::Exp(d, hn::Neg(hn::Mul(half, square)));
  const V gauss = hn::NegMulAdd(hn::Mul(half, lost), e, e);
  const V below = hn::Mul(gauss, hn::Mul(p, t));
  const V probability = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, hn::Sub(one, below));
  return {keep_nan(d, x, hn::Mul(gauss, set(d, 0.39894228040143267794))), keep_nan(d, x, probability)};
}

// The error function; 4 ulp. Near 0 x times a polynomial in x² (the Chebyshev interpolant of erf(x)/x, error
// 1.5e-9 and 8e-19), beyond 1 less twice the normal distribution's tail.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V erf_of(D d, V x) {
  const V near = set(d, 0.75), a = hn::Abs(x), square = hn::Min(hn::Mul(x, x), set(d, 0.5625));
  V p;
  if constexpr (kSingle<D>) {
    constexpr float k[] = {1.128379166f,    -0.3761261947f,  0.1128338654f,
                           -0.02683511457f, 0.005115332113f, -0.0006756479569f};
    p = hn::Set(d, k[5]);
    for (int i = 4; i >= 0; --i) p = hn::MulAdd(p, square, hn::Set(d, k[i]));
  } else {
    constexpr double k[] = {
        1.12837916709551257307,     -0.376126389031837169221,     0.112837916709525960607,
        -0.0268661706444284840839,  0.00522397761541205386731,    -0.000854832618875975266375,
        0.000120552895675417067418, -0.0000149241963055696165794, 1.64306841797415490551e-6,
        -1.59400668546617174239e-7, 1.14724997010946916175e-8};
    p = hn::Set(d, k[10]);
    for (int i = 9; i >= 0; --i) p = hn::MulAdd(p, square, hn::Set(d, k[i]));
  }
  const V inside = hn::Mul(x, p);
  const V tail = normal_at(d, hn::Mul(hn::Neg(a), set(d, 1.41421356237309504880))).probability;
  const V outside = hn::CopySign(hn::NegMulAdd(set(d, 2.0), tail, set(d, 1.0)), x);
  return keep_nan(d, x, hn::IfThenElse(hn::Lt(a, near), inside, outside));
}

}  // namespace shoestring::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
