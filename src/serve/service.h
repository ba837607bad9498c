// The service: models behind HTTP routes. Ludwig's (/predict, /batch_predict), KServe's V2 protocol (/v2/…),
// /metrics, /openapi.json, and / for people. It answers on the server's thread; models are read on another
// one, so requests go on while a model is swapped.
//
//   auto service = HttpService::make(options, **http_module(), log);
//   auto server = (*http_module())->open(http_options, **service);
//   Status ok = (*service)->run(**server, [] { /* ready */ });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "serve/http.h"
#include "serve/models.h"
#include "serve/request.h"

namespace shoestring::serve {

struct ServiceOptions {
  struct Model {
    std::string name, path;
  };
  std::vector<Model> models = {};  // the first is the one that routes without a name mean
  std::vector<std::shared_ptr<LiveModel>> loaded =
      {};  // the models, where they are read already (serve_plan.h)
  LiveOptions live = {};
  ReadOptions read = {};
  std::string key_file = {};    // "": everybody may ask
  std::string access_log = {};  // a file, "-" for stdout; "": none
  double grace_seconds = 20;    // for what has begun when it is to stop
  std::string version = {};     // of the program
};

class HttpService : public HttpHandler {
 public:
  // Reads the keys and opens the log; no model yet. `log` is called on the server's thread.
  static Result<std::unique_ptr<HttpService>> make(ServiceOptions options, const HttpModule& module,
                                                   LogSink log);

  // Reads the models, calls `ready` once they answer, and serves until a SIGTERM or SIGINT and what has begun
  // is finished. SIGHUP reads models, keys and certificate again and opens the log anew. Fails where a model
  // does not load at the start.
  virtual Status run(HttpServer& server, const std::function<void()>& ready) = 0;
};

}  // namespace shoestring::serve
