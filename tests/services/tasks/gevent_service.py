"""gevent's own server: every connection is a greenlet, which uses no context."""

import gevent.monkey

gevent.monkey.patch_all()

import gevent  # noqa: E402
import gevent.pool  # noqa: E402

import plan  # noqa: E402

get = plan.blocking()
LEFT = []


def later(path):
    gevent.sleep(0.05)
    get(path)


def app(environ, start_response):
    _, mode, name = environ["PATH_INFO"].split("/")
    gevent.sleep(plan.work())
    if mode == "sequential":
        for n in range(2):
            get("/leaf/%s.%d" % (name, n))
            gevent.sleep(plan.work())
    elif mode == "parallel":
        gevent.joinall([gevent.spawn(get, "/leaf/%s.%d" % (name, n)) for n in range(2)])
    elif mode == "pool":
        # Its greenlets are started by one that the request's greenlet starts.
        gevent.pool.Pool(2).map(get, ["/leaf/%s.%d" % (name, n) for n in range(2)])
    elif mode == "left":
        # One call outlives the request, the other does not.
        LEFT.append(gevent.spawn(later, "/leaf/%s.0" % name))
        get("/leaf/%s.1" % name)
    elif mode == "settled":
        # Answered when all that was left has been done.
        gevent.joinall(LEFT)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    from gevent.pywsgi import WSGIServer

    WSGIServer((plan.HOST, plan.PORT), app, log=None).serve_forever()
