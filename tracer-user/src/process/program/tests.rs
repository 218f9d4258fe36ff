//! Command lines as they are found in /proc, and what people call those programs.

use super::{is_helper, name};
use crate::process::Facts;
use crate::process::fake::Fake;

const PYTHON: &str = "/usr/bin/python3.11";

/// Name of a program started in `directory` by `line` (arguments split at spaces).
fn called(exe: &str, directory: &str, line: &str) -> Option<String> {
    let fake = Fake::new();
    let arguments: Vec<&str> = line.split(' ').collect();
    fake.process(7).exe(exe).directory(directory).command(&arguments).write();
    name(&Facts::read(&fake.host(), 7).unwrap())
}

fn check(exe: &str, cases: &[(&str, &str)]) {
    for (line, want) in cases {
        assert_eq!(called(exe, "/srv/fruit", line).as_deref(), Some(*want), "{line}");
    }
}

fn silent(exe: &str, lines: &[&str]) {
    for line in lines {
        assert_eq!(called(exe, "/srv/fruit", line), None, "{line}");
    }
}

#[test]
fn python_s_scripts_and_modules() {
    check(
        PYTHON,
        &[
            ("python /srv/cart/main.py", "cart"),
            ("python3 /srv/cart/src/app.py --port 80", "cart"),
            ("python orders.py", "orders"),
            ("python app.py", "fruit"),
            ("python ./api/server.py", "api"),
            ("python -u -W ignore -X dev pay.py", "pay"),
            ("python -Wignore pay.py", "pay"),
            ("python manage.py runserver 0:8000", "fruit"),
            ("python -m shop", "shop"),
            ("python -mshop", "shop"),
            ("python -um shop.server", "shop"),
            ("python -m shop.web", "shop.web"),
            ("python -m app.main", "fruit"),
            ("python -m http.server 8000", "http.server"),
            ("/srv/venv/bin/python /srv/venv/bin/celery -A shop.tasks worker", "shop.tasks"),
            ("python /usr/bin/fastapi run shop/main.py", "shop"),
        ],
    );
    silent(PYTHON, &["python", "python -", "python -c import-x", "python -Bc x", "python -m"]);
}

#[test]
fn flask_s_application() {
    check(
        PYTHON,
        &[
            ("python -m flask --app shop run", "shop"),
            ("python /usr/bin/flask --app shop run -p 8000", "shop"),
            ("python /usr/bin/flask -A shop.web:create_app('x') run", "shop.web"),
            ("python /usr/bin/flask --app=src/shop/app.py run", "shop"),
            ("python /usr/bin/flask --app hello.py run", "hello"),
            ("python /usr/bin/flask run --port 8000", "fruit"),
        ],
    );
    let fake = Fake::new();
    let process = fake.process(7).exe(PYTHON).command(&["python", "/bin/flask", "run"]);
    process.directory("/app").environment(&[("FLASK_APP", "shop:app")]).write();
    fake.process(8).exe(PYTHON).command(&["python", "/bin/flask", "run"]).directory("/app").write();
    let named = |pid| name(&Facts::read(&fake.host(), pid).unwrap());
    assert_eq!(named(7).as_deref(), Some("shop"));
    assert_eq!(named(8).as_deref(), Some("flask"), "no folder says anything");
}

#[test]
fn servers_applications() {
    check(
        PYTHON,
        &[
            ("python /usr/bin/gunicorn shop:app", "shop"),
            ("python /usr/bin/gunicorn -c conf.py shop.web:app", "shop.web"),
            ("python /usr/bin/gunicorn -b localhost:8000 -w 4 --preload shop.wsgi", "shop"),
            ("python /usr/bin/gunicorn shop:app -k gthread --threads=32", "shop"),
            ("python -m gunicorn --reload shop:create_app()", "shop"),
            ("python /usr/bin/gunicorn -n market shop:app", "market"),
            ("python /usr/bin/gunicorn app:app", "fruit"),
            ("python /usr/bin/uvicorn --factory shop.main:build --host 0.0.0.0", "shop"),
            ("python -m uvicorn --host 0.0.0.0 --port 80 pay:app --lifespan on", "pay"),
            ("python /usr/bin/hypercorn -b 0:80 pay:app", "pay"),
            ("python /usr/bin/daphne -p 80 shop.asgi:application", "shop"),
            ("python /usr/bin/waitress-serve --call shop:create", "shop"),
            ("python /usr/bin/gunicorn -c conf.py", "gunicorn"),
        ],
    );
}

#[test]
fn titles() {
    let fake = Fake::new();
    let titled = |exe: &str, title: &str| {
        fake.process(7).exe(exe).directory("/srv/fruit").command(&[title]).write();
        name(&Facts::read(&fake.host(), 7).unwrap())
    };
    let ruby = "/usr/bin/ruby3.1";
    for (exe, title, want) in [
        (PYTHON, "gunicorn: worker [shop:app]", "shop"),
        (PYTHON, "gunicorn: master [shop.web:app]", "shop.web"),
        (PYTHON, "gunicorn: worker [app:app]", "fruit"),
        (ruby, "puma: cluster worker 0: 12 [shop]", "shop"),
        (ruby, "puma 6.4.0 (tcp://0.0.0.0:3000) [shop]", "shop"),
        (ruby, "sidekiq 7.1.0 shop [0 of 5 busy]", "shop"),
        ("/usr/sbin/nginx", "nginx: worker process", "nginx"),
        ("/usr/sbin/php-fpm8.2", "php-fpm: pool www", "php-fpm8.2"),
        ("/usr/bin/node", "next-server (v14.1.0)", "next-server"),
    ] {
        assert_eq!(titled(exe, title).as_deref(), Some(want), "{title}");
    }
    assert_eq!(titled(PYTHON, "doing 7 things"), None);
    fake.file("/srv/fruit/package.json", r#"{"name":"storefront"}"#);
    assert_eq!(titled("/usr/bin/node", "next-server (v14.1.0)").as_deref(), Some("storefront"));
}

#[test]
fn node_s_packages_and_scripts() {
    let node = "/usr/bin/node";
    check(
        node,
        &[
            ("node server.js", "fruit"),
            ("node --max-old-space-size=512 -r dotenv/config orders.js", "orders"),
            ("node --import tsx src/index.ts", "fruit"),
        ],
    );
    check("/usr/bin/deno", &[("deno run --allow-net orders.ts", "orders")]);
    silent(node, &["node", "node -e code", "node -e code arg"]);
    let fake = Fake::new();
    fake.file("/srv/cart/package.json", r#"{"name":"@acme/basket"}"#);
    fake.file("/srv/cart/node_modules/next/package.json", r#"{"name":"next"}"#);
    fake.file("/srv/bad/package.json", "{");
    let run = |directory: &str, path: &str| {
        fake.process(7).exe(node).directory(directory).command(&["node", path]).write();
        name(&Facts::read(&fake.host(), 7).unwrap())
    };
    assert_eq!(run("/srv/cart", "server.js").as_deref(), Some("basket"));
    assert_eq!(run("/", "/srv/cart/dist/src/server.js").as_deref(), Some("basket"));
    let tool = "/srv/cart/node_modules/next/dist/bin/next";
    assert_eq!(run("/srv/cart", tool).as_deref(), Some("basket"));
    assert_eq!(run("/srv/bad", "server.js").as_deref(), Some("bad"));
}

#[test]
fn java_s_archives_and_classes() {
    check(
        "/usr/lib/jvm/java-17/bin/java",
        &[
            ("java -jar /opt/cart-1.2.3.jar", "cart"),
            ("java -Xmx1g -cp a:b -jar pay-service-0.0.1-SNAPSHOT.jar --x", "pay-service"),
            ("java -jar cart.jar", "cart"),
            ("java -jar /opt/cart/app.jar", "cart"),
            ("java -cp a.jar:b.jar com.acme.shop.CartApplication", "CartApplication"),
            ("java --class-path x com.acme.cart.Main", "cart"),
            ("java org.springframework.boot.loader.launch.JarLauncher", "fruit"),
            ("java -m com.acme.pay/com.acme.pay.Payments", "Payments"),
            ("java -Dotel.service.name=till -jar cart.jar", "till"),
            ("java @options Cart.java", "Cart"),
        ],
    );
    silent("/usr/bin/java", &["java", "java -version", "java -jar", "java -cp x"]);
}

#[test]
fn the_others() {
    check(
        "/usr/bin/ruby3.1",
        &[
            ("ruby -w cart.rb", "cart"),
            ("ruby bin/rails server", "fruit"),
            ("ruby /usr/bin/rackup -p 80", "fruit"),
        ],
    );
    check(
        "/usr/bin/php8.2",
        &[
            ("php worker.php", "worker"),
            ("php artisan serve", "fruit"),
            ("php -S 0:80 -t /srv/cart/public", "cart"),
            ("php -S 0:80", "fruit"),
        ],
    );
    check("/usr/bin/perl", &[("perl -w -I lib cart.pl", "cart")]);
    check("/usr/bin/dotnet", &[("dotnet /opt/Shop.Cart.dll --urls x", "Shop.Cart")]);
    check("/bin/dash", &[("sh -e /opt/poll.sh", "poll"), ("sh run.sh", "fruit")]);
    check("/bin/busybox", &[("/usr/sbin/httpd -f", "httpd")]);
    check("/usr/sbin/nginx", &[("nginx -g x", "nginx")]);
    check("/opt/cart-service", &[("anything at all", "cart-service")]);
    silent("/usr/bin/ruby", &["ruby -e x", "ruby"]);
    silent("/usr/bin/php", &["php -r x", "php"]);
    silent("/bin/bash", &["bash", "bash -lc x", "bash -c x y"]);
    silent("/usr/bin/dotnet", &["dotnet run"]);
    silent("/usr/bin/perl", &["perl -e x"]);
}

#[test]
fn multiprocessing_s_children_are_helpers() {
    let fake = Fake::new();
    let code = "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5)";
    fake.process(7).exe(PYTHON).command(&["python", "-c", code, "--multiprocessing-fork"]).write();
    fake.process(8).exe(PYTHON).command(&["python", "-c", "pass"]).write();
    assert!(is_helper(&Facts::read(&fake.host(), 7).unwrap()));
    assert!(!is_helper(&Facts::read(&fake.host(), 8).unwrap()));
}
