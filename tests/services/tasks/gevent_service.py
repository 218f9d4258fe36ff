"""gevent's own server: every connection is a greenlet, which uses no context."""

import gevent.monkey

gevent.monkey.patch_all()

import gevent  # noqa: E402

import plan  # noqa: E402

get = plan.blocking()


def app(environ, start_response):
    _, mode, name = environ["PATH_INFO"].split("/")
    gevent.sleep(plan.work())
    if mode == "sequential":
        for n in range(2):
            get("/leaf/%s.%d" % (name, n))
            gevent.sleep(plan.work())
    elif mode == "parallel":
        gevent.joinall([gevent.spawn(get, "/leaf/%s.%d" % (name, n)) for n in range(2)])
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    from gevent.pywsgi import WSGIServer

    WSGIServer((plan.HOST, plan.PORT), app, log=None).serve_forever()
