//! The demo's shop: storefront (Flask) -> cart (Go) -> stock (Flask), then payment (Go).

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::Process;
use crate::{paths, ports, prepare};

const START: Duration = Duration::from_secs(30);

/// The running shop.
#[derive(Debug)]
pub struct Shop {
    _services: [Process; 4],
    /// Where the storefront listens, then the others.
    pub ports: [u16; 4],
}

impl Shop {
    /// Starts the services, those that are called first; returns once all of them listen.
    pub fn open() -> Result<Shop> {
        let sources = paths::service_sources().join("shop");
        let python = prepare::python()?.join("python");
        let script = |name: &str| {
            let mut command = Command::new(&python);
            command.arg(sources.join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        };
        let binary =
            |name: &str| anyhow::Ok(Command::new(prepare::go_service(&sources.join(name))?));
        let (stock_process, stock) = start("stock", script("stock.py"))?;
        let (payment_process, payment) = start("payment", binary("payment.go")?)?;
        let mut cart = binary("cart.go")?;
        cart.env("STOCK", url(stock)).env("PAYMENT", url(payment));
        let (cart_process, cart) = start("cart", cart)?;
        let mut front = script("storefront.py");
        front.env("CART", url(cart));
        let (front_process, front) = start("storefront", front)?;
        Ok(Shop {
            _services: [front_process, cart_process, stock_process, payment_process],
            ports: [front, cart, stock, payment],
        })
    }

    /// Checks out for `customer`, as a person with curl would; the answer's status code.
    pub fn check_out(&self, customer: u32) -> Result<String> {
        let [front, ..] = self.ports;
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--silent", "--noproxy", "*", "--max-time", "10"]);
        curl.args(["--output", "/dev/null", "--write-out", "%{http_code}"]);
        curl.arg(format!("{}/checkout/{customer}", url(front)));
        crate::process::run("curl", &mut curl)
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn start(name: &str, mut command: Command) -> Result<(Process, u16)> {
    let port = ports::free()?;
    let mut process = Process::start(name, command.env("PORT", port.to_string()))?;
    process.wait_for_port(port, START)?;
    Ok((process, port))
}
