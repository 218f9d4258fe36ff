//! The same servers behind TLS, for whose certificates an authority of the test's own stands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::Result;

use super::{Databases, give_to_postgres, start_mysql, start_postgres, start_redis};
use crate::certificates::Certificates;
use crate::ports;
use crate::process::Process;

/// PostgreSQL, MariaDB and Redis, which speak nothing but TLS.
#[derive(Debug)]
pub struct Sealed {
    _processes: [Process; 3],
    /// Whom clients trust.
    pub authority: PathBuf,
    /// PostgreSQL's port.
    pub postgres: u16,
    /// MariaDB's.
    pub mysql: u16,
    /// Redis's.
    pub redis: u16,
}

impl Sealed {
    /// Starts them; they keep things where the others do.
    pub fn start(databases: &Databases) -> Result<Self> {
        let Certificates { authority, certificate, key, .. } = Certificates::new("databases")?;
        let directory = databases.directory.join("sealed");
        fs::create_dir(&directory)?;
        // As the directory above.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777))?;
        let copy = |from: &PathBuf, name: &str| -> Result<String> {
            let to = directory.join(name);
            fs::copy(from, &to)?;
            // PostgreSQL takes no key that others may read.
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600))?;
            give_to_postgres(&to)?;
            Ok(to.display().to_string())
        };
        let (certificate, key) = (copy(&certificate, "certificate.pem")?, copy(&key, "key.pem")?);
        let [postgres, mysql, redis] = [ports::free()?, ports::free()?, ports::free()?];
        let of_postgres = [
            "ssl=on".into(),
            format!("ssl_cert_file={certificate}"),
            format!("ssl_key_file={key}"),
        ];
        let of_mysql = [
            "--require-secure-transport=ON".into(),
            format!("--ssl-cert={certificate}"),
            format!("--ssl-key={key}"),
        ];
        let port = redis.to_string();
        let of_redis =
            ["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no", "--tls-cert-file"];
        let of_redis = of_redis.map(str::to_owned).into_iter();
        let of_redis: Vec<_> =
            of_redis.chain([certificate, "--tls-key-file".into(), key]).collect();
        let processes = [
            start_postgres("sealed-postgres", &directory, postgres, &of_postgres)?,
            start_mysql("sealed-mariadb", &directory, mysql, &of_mysql)?,
            start_redis("sealed-redis", &directory, redis, &of_redis)?,
        ];
        Ok(Self { _processes: processes, authority, postgres, mysql, redis })
    }

    /// What `flask_service.py` is told, to ask these.
    pub fn settings(&self) -> [String; 6] {
        let authority = self.authority.display();
        [
            format!("POSTGRES_PORT={}", self.postgres),
            format!("MYSQL_PORT={}", self.mysql),
            format!("REDIS_PORT={}", self.redis),
            format!("AUTHORITY={authority}"),
            // What libpq asks for where it is not told.
            "PGSSLMODE=require".into(),
            format!("PGSSLROOTCERT={authority}"),
        ]
    }
}
