//! JDBC, on threads of a pool.

use anyhow::{Context as _, Result, ensure};
use tests::databases::{self, Databases};

use crate::asked::{Mode, check, traced};

pub(crate) fn jdbc(databases: &Databases) -> Result<()> {
    let mode = |name, system| Mode { name, calls: &["SELECT items"], system };
    let modes = [
        mode("pgjdbc", "postgresql"),
        mode("mariadb", "mysql"),
        // Prepared and executed in one write.
        mode("mariadb_prepared", "mysql"),
    ];
    let (service, port) = databases.service("jdbc-db", databases::java()?)?;
    let spans = traced("jdbc-db", service.pid(), port, &modes)?;
    for mode in &modes {
        check(&spans, mode)?;
        let token = format!("t_{}_", mode.name);
        let call = spans.iter().find(|span| {
            let text = span.get("db.query.text").unwrap_or("");
            let whole = span.get("tracer.incomplete").is_none();
            whole && span.name == "SELECT items" && text.contains(&token)
        });
        let call = call.with_context(|| format!("no call of {}", mode.name))?;
        let text = call.get("db.query.text").unwrap_or("");
        ensure!(text.ends_with("name <> ?"), "{text}");
        for (key, value) in [
            ("db.response.returned_rows", "3"),
            ("server.address", "127.0.0.1"),
            ("tracer.parent.method", "thread"),
        ] {
            ensure!(call.get(key) == Some(value), "{key} is not {value}: {call:#?}");
        }
    }
    Ok(())
}
