//! A container's name, from what its runtime keeps on the host.
//!
//! - docker: `config.v2.json` of the container; the Compose or Swarm service if it is one's, since
//!   replicas of a service share that, else the container's name;
//! - containerd (Kubernetes, nerdctl): the annotations in the task's OCI `config.json`;
//! - cri-o: the same in the container's user data;
//! - podman (rootful): the list of containers in its storage.
//!
//! Without any of these (another storage directory, a rootless podman, a runtime that keeps no
//! name), only Kubernetes tells something: a pod's host name is its own name. Kubernetes' labels
//! are not on the host.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::facts::Facts;
use super::host::Host;
use super::program::says_nothing;

/// Most bytes of a runtime's file; docker's and OCI's are some tens of KiB.
const FILE_LIMIT: u64 = 4 << 20;

#[derive(Deserialize)]
struct Docker {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Config", default)]
    config: DockerConfig,
}

#[derive(Default, Deserialize)]
struct DockerConfig {
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Oci {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Podman {
    id: String,
    #[serde(default)]
    names: Vec<String>,
}

/// The name of the container that `facts` is in; `None` outside of one and where nothing tells.
pub(super) fn name(host: &Host, facts: &Facts) -> Option<String> {
    let id = facts.cgroup.container.as_deref()?;
    docker(host, id)
        .or_else(|| containerd(host, id))
        .or_else(|| crio(host, id))
        .or_else(|| podman(host, id))
        .or_else(|| facts.in_pod().then(|| workload(facts.variable("HOSTNAME")?)).flatten())
}

fn read<T: DeserializeOwned>(host: &Host, path: &str) -> Option<T> {
    serde_json::from_slice(&host.file(path, FILE_LIMIT)?).ok()
}

fn docker(host: &Host, id: &str) -> Option<String> {
    let file: Docker = read(host, &format!("/var/lib/docker/containers/{id}/config.v2.json"))?;
    let labels = file.config.labels.unwrap_or_default();
    let service = ["com.docker.compose.service", "com.docker.swarm.service.name"]
        .into_iter()
        .find_map(|label| labels.get(label));
    Some(service.unwrap_or(&file.name).trim_start_matches('/').to_owned())
}

fn containerd(host: &Host, id: &str) -> Option<String> {
    const TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task";
    ["k8s.io", "default", "moby"].into_iter().find_map(|namespace| {
        let file: Oci = read(host, &format!("{TASKS}/{namespace}/{id}/config.json"))?;
        let text = |key: &str| file.annotations.get(key).map(String::as_str);
        kubernetes(text("io.kubernetes.cri.container-name"), text("io.kubernetes.cri.sandbox-name"))
            .or_else(|| text("nerdctl/name").map(str::to_owned))
    })
}

fn crio(host: &Host, id: &str) -> Option<String> {
    let directory = "/run/containers/storage/overlay-containers";
    let file: Oci = read(host, &format!("{directory}/{id}/userdata/config.json"))?;
    let text = |key: &str| file.annotations.get(key).map(String::as_str);
    kubernetes(text("io.kubernetes.container.name"), text("io.kubernetes.pod.name"))
}

fn podman(host: &Host, id: &str) -> Option<String> {
    let path = "/var/lib/containers/storage/overlay-containers/containers.json";
    let all: Vec<Podman> = read(host, path)?;
    all.into_iter().find(|one| one.id == id)?.names.into_iter().next()
}

/// The container's name in its pod's specification, unless that is one like `server`, which says
/// less than the workload's.
fn kubernetes(container: Option<&str>, pod: Option<&str>) -> Option<String> {
    let container = container?;
    match pod.and_then(workload) {
        Some(workload) if says_nothing(container) => Some(workload),
        _ => Some(container.to_owned()),
    }
}

/// What made a pod, from the pod's name: Deployments append a hash of up to 10 and five more
/// letters, DaemonSets the five letters, StatefulSets a number. Kubernetes takes those letters
/// from an alphabet without vowels (`k8s.io/apimachinery/pkg/util/rand`), so a word is seldom
/// mistaken for them.
fn workload(pod: &str) -> Option<String> {
    let random = |text: &str| text.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b));
    let cut = match pod.rsplit_once('-') {
        Some((rest, tail)) if tail.len() == 5 && random(tail) => match rest.rsplit_once('-') {
            Some((name, hash)) if (6..=10).contains(&hash.len()) && random(hash) => name,
            _ => rest,
        },
        Some((rest, ordinal))
            if !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit()) =>
        {
            rest
        }
        _ => pod,
    };
    (!cut.is_empty()).then(|| cut.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{name, workload};
    use crate::process::Facts;
    use crate::process::fake::Fake;

    const ID: &str = "4f96f907f805e9d6ddbd3397ff6b6a4200112233445566778899aabbccddeeff";

    fn named(file: &str, content: &str) -> Option<String> {
        let fake = Fake::new();
        fake.file(&file.replace("ID", ID), &content.replace("ID", ID));
        fake.process(7).cgroup(&format!("/docker/{ID}")).write();
        name(&fake.host(), &Facts::read(&fake.host(), 7).unwrap())
    }

    #[test]
    fn docker_s_name_or_service() {
        let file = "/var/lib/docker/containers/ID/config.v2.json";
        let plain = r#"{"ID":"ID","Name":"/brave_curie","Config":{"Labels":null}}"#;
        assert_eq!(named(file, plain).as_deref(), Some("brave_curie"));
        let compose =
            r#"{"Name":"/shop-cart-1","Config":{"Labels":{"com.docker.compose.service":"cart"}}}"#;
        assert_eq!(named(file, compose).as_deref(), Some("cart"));
        assert_eq!(named(file, "{"), None);
        assert_eq!(named(file, r#"{"Name":7}"#), None);
    }

    #[test]
    fn annotations_of_containerd_and_crio() {
        let containerd = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/ID/config.json";
        let content = r#"{"annotations":{"io.kubernetes.cri.container-name":"cart",
            "io.kubernetes.cri.sandbox-name":"shop-7d9f8b6c5-x2x4z"}}"#;
        assert_eq!(named(containerd, content).as_deref(), Some("cart"));
        let generic = content.replace("\"cart\"", "\"server\"");
        assert_eq!(named(containerd, &generic).as_deref(), Some("shop"));
        let crio = "/run/containers/storage/overlay-containers/ID/userdata/config.json";
        let content = r#"{"annotations":{"io.kubernetes.container.name":"pay"}}"#;
        assert_eq!(named(crio, content).as_deref(), Some("pay"));
    }

    #[test]
    fn podman_s_list() {
        let file = "/var/lib/containers/storage/overlay-containers/containers.json";
        let content = r#"[{"id":"00","names":["other"]},{"id":"ID","names":["cart"]}]"#;
        assert_eq!(named(file, content).as_deref(), Some("cart"));
        assert_eq!(named(file, r#"[{"id":"00","names":["other"]}]"#), None);
    }

    #[test]
    fn a_pod_s_host_name_is_the_last_resort() {
        let fake = Fake::new();
        let pod = [("HOSTNAME", "cart-7d9f8b6c5-x2x4z"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")];
        fake.process(7).cgroup(&format!("/kubepods/pod1/{ID}")).environment(&pod).write();
        fake.process(8).cgroup(&format!("/docker/{ID}")).environment(&pod[..1]).write();
        fake.process(9).environment(&pod).write();
        let named = |pid| name(&fake.host(), &Facts::read(&fake.host(), pid).unwrap());
        assert_eq!(named(7).as_deref(), Some("cart"));
        assert_eq!(named(8), None, "a container's host name is its id or anything");
        assert_eq!(named(9), None, "not in a container");
    }

    #[test]
    fn what_made_a_pod() {
        for (pod, want) in [
            ("cart-7d9f8b6c5-x2x4z", "cart"),
            ("web-cart-59fd6c7b86-bbn4q", "web-cart"),
            ("fluentd-x2x4z", "fluentd"),
            ("redis-0", "redis"),
            ("cart", "cart"),
            ("cart-green", "cart-green"),
        ] {
            assert_eq!(workload(pod).as_deref(), Some(want));
        }
        assert_eq!(workload("-0"), None);
    }
}
