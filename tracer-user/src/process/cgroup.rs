//! What a control group's path tells: a container's id, a systemd unit.

/// From a process's cgroup file (cgroups(7)): `hierarchy:controllers:path` a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cgroup {
    /// 64 hexadecimal digits, as docker, containerd, cri-o and podman use.
    pub(super) container: Option<String>,
    /// A systemd service's name and the path of its cgroup.
    pub(super) unit: Option<Unit>,
}

/// A systemd service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Without `.service`, escapes undone; of `shop@8001` only `shop`.
    pub(super) name: String,
    /// Path of its cgroup, for telling whether two processes are of the same service.
    pub(super) path: String,
}

impl Cgroup {
    /// Reads the whole file. The unified hierarchy and systemd's own come first for the unit;
    /// any hierarchy may show the container.
    pub(super) fn parse(text: &str) -> Self {
        let lines = || {
            text.lines().filter_map(|line| {
                let mut fields = line.splitn(3, ':');
                Some((fields.next()?, fields.next()?, fields.next()?))
            })
        };
        let container = lines().find_map(|(_, _, path)| container(path));
        let unit = lines()
            .filter(|(hierarchy, controllers, _)| {
                *hierarchy == "0" || *controllers == "name=systemd"
            })
            .find_map(|(_, _, path)| unit(path));
        Self { container, unit }
    }
}

/// Known forms of the component that holds the id (the innermost such component counts):
/// - `/docker/ID`, `/kubepods/burstable/podUID/ID`, `/libpod_parent/…` (cgroupfs driver)
/// - `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`
/// - `kubepods-besteffort-podUID.slice:cri-containerd:ID` (containerd without systemd's driver)
///
/// `libpod-conmon-ID.scope` and `crio-conmon-ID.scope` hold the container's monitor, which is not
/// in the container.
fn container(path: &str) -> Option<String> {
    path.rsplit('/').find_map(|component| {
        let name = component.strip_suffix(".scope").unwrap_or(component);
        let id = name.rsplit(['-', ':']).next()?;
        let is_id = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
        (is_id && !name.contains("conmon")).then(|| id.to_ascii_lowercase())
    })
}

fn unit(path: &str) -> Option<Unit> {
    // A scope below a service (a user's session, a desktop's program) is something of its own.
    let innermost = |c: &&str| c.ends_with(".service") || c.ends_with(".scope");
    let component = path.rsplit('/').find(innermost)?;
    let name = unescape(component.strip_suffix(".service")?);
    // user@UID is a user's whole session manager, app-… a program started from a desktop.
    if name.is_empty() || name.starts_with("user@") || name.starts_with("app-") {
        return None;
    }
    let end = path.rfind(component)? + component.len();
    let name = match name.split_once('@') {
        Some((template, instance)) if !instance.contains(char::is_alphabetic) => template.into(),
        _ => name,
    };
    Some(Unit { name, path: path.get(..end)?.into() })
}

/// systemd.unit(5): `\x2d` stands for `-` in a name.
fn unescape(name: &str) -> String {
    let mut parts = name.split("\\x");
    let mut plain: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                plain.push(byte);
                plain.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
            }
            None => {
                plain.extend_from_slice(b"\\x");
                plain.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Cgroup;

    const ID: &str = "4f96f907f805e9d6ddbd3397ff6b6a4200112233445566778899aabbccddeeff";

    fn container(path: &str) -> Option<String> {
        Cgroup::parse(&format!("0::{path}\n")).container
    }

    fn unit(path: &str) -> Option<String> {
        Cgroup::parse(&format!("0::{path}\n")).unit.map(|unit| unit.name)
    }

    #[test]
    fn every_runtime_s_container_is_found() {
        for path in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/machine.slice/libpod-{ID}.scope/container"),
            format!("/kubepods/burstable/pod1234/{ID}"),
            format!("/kubepods.slice/kubepods-pod12.slice/cri-containerd-{ID}.scope"),
            format!("/kubepods.slice/kubepods-pod12.slice/crio-{ID}.scope"),
            format!("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{ID}"),
            format!("/../../kubepods.slice/docker-{ID}.scope"),
            format!("/docker/{ID}/system.slice/nginx.service"),
        ] {
            assert_eq!(container(&path).as_deref(), Some(ID), "{path}");
        }
    }

    #[test]
    fn what_is_no_container_is_none() {
        for path in [
            "/".into(),
            "/system.slice/ssh.service".into(),
            "/process_api/4f96f907f805e9d6ddbd3397ff6b6a42".into(),
            format!("/machine.slice/libpod-conmon-{ID}.scope"),
            format!("/user.slice/{ID}0"),
        ] {
            assert_eq!(container(&path), None, "{path}");
        }
    }

    #[test]
    fn the_first_version_s_hierarchies_are_read() {
        let text = format!(
            "12:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/system.slice/shop.service\n0::/\nbad\n"
        );
        let cgroup = Cgroup::parse(&text);
        assert_eq!(cgroup.container.as_deref(), Some(ID));
        assert_eq!(cgroup.unit.unwrap().path, "/system.slice/shop.service");
        let controllers_only = Cgroup::parse("3:cpu:/system.slice/shop.service\n");
        assert_eq!(controllers_only.unit, None);
    }

    #[test]
    fn services_are_told_from_sessions() {
        assert_eq!(unit("/system.slice/shop.service").as_deref(), Some("shop"));
        assert_eq!(unit("/system.slice/shop.service/worker").as_deref(), Some("shop"));
        assert_eq!(
            unit("/system.slice/system-shop.slice/shop@8001.service").as_deref(),
            Some("shop")
        );
        assert_eq!(unit("/system.slice/app@cart.service").as_deref(), Some("app@cart"));
        assert_eq!(unit(r"/system.slice/web\x2dshop.service").as_deref(), Some("web-shop"));
        assert_eq!(unit(r"/system.slice/odd\xzz.service").as_deref(), Some(r"odd\xzz"));
        for path in [
            "/user.slice/user-1000.slice/session-3.scope",
            "/user.slice/user-1000.slice/user@1000.service",
            "/user.slice/user-1000.slice/user@1000.service/init.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-code-12.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox@1.service",
            "/system.slice",
            "/init.scope",
            "/system.slice/.service",
        ] {
            assert_eq!(unit(path), None, "{path}");
        }
    }
}
