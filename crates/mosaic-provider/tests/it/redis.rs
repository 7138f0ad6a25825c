//! A real Redis Cluster for tests: six `redis-server` processes, three masters with a replica each.

use std::{
    env,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Six nodes on loopback, gone when dropped.
pub(crate) struct RedisCluster {
    pub(crate) nodes: Vec<Node>,
    folder: tempfile::TempDir,
}

pub(crate) struct Node {
    port: u16,
    pub(crate) child: Child,
}

impl RedisCluster {
    /// Starts one with nothing in it; `None` when the program is missing, which CI does not let pass.
    pub(crate) fn start() -> Option<Self> {
        let there = Command::new("redis-server").arg("--version").output().is_ok_and(|output| output.status.success());
        if !there {
            assert!(env::var_os("CI").is_none(), "redis-server is missing; `cargo xtask ci --install` brings it");
            std::io::stderr().write_all(b"skipped: redis-server is missing\n").unwrap();
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let start = |port| Node { port, child: node(folder.path(), port) };
        let cluster = Self { nodes: ports().into_iter().map(start).collect(), folder };
        for node in &cluster.nodes {
            until(|| node.ask(&["PING"]).contains("PONG"), "a node never answers");
        }
        let hosts = cluster.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let arguments = ["--cluster", "create", "--cluster-replicas", "1", "--cluster-yes"].map(str::to_owned);
        let (first, rest) = arguments.split_at(2);
        let made = Command::new("redis-cli").args(first).args(hosts).args(rest).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        cluster.wait_until_whole();
        Some(cluster)
    }

    /// As in an address of a spent set.
    pub(crate) fn address(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis://{}", nodes.join(","))
    }

    /// The node that is master of a key's slot.
    pub(crate) fn master_of(&self, key: &str) -> usize {
        self.nodes.iter().find_map(|node| self.master_by(node, key)).unwrap()
    }

    /// The same, as one node sees it; `None` while it sees none, and from one that is not there.
    fn master_by(&self, node: &Node, key: &str) -> Option<usize> {
        let slot: u32 = node.ask(&["CLUSTER", "KEYSLOT", key]).trim().parse().ok()?;
        let holds = |line: &&str| {
            let ranges = line.split(' ').skip(8).filter_map(|range| range.split_once('-'));
            let mut ranges = ranges.filter_map(|(from, to)| Some(from.parse().ok()?..=to.parse::<u32>().ok()?));
            line.contains("master") && !line.contains("fail") && ranges.any(|range| range.contains(&slot))
        };
        let known = node.ask(&["CLUSTER", "NODES"]);
        let port: u16 = known.lines().find(holds)?.split([':', '@']).nth(1)?.parse().ok()?;
        self.nodes.iter().position(|node| node.port == port)
    }

    /// SIGKILL: what a power cut does to a process.
    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].child.kill().unwrap();
        self.nodes[node].child.wait().unwrap();
    }

    /// Waits until another node is master of a key's slot, and all that are left say that they serve.
    pub(crate) fn wait_for_failover(&self, key: &str, from: usize) {
        let serves = |node: &Node| node.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        let follows = |node: &Node| serves(node) && self.master_by(node, key).is_some_and(|master| master != from);
        let over = || self.nodes.iter().enumerate().all(|(number, node)| number == from || follows(node));
        until(over, "no replica is ever promoted");
    }

    /// Starts a node again on what it left.
    pub(crate) fn restart(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.child = self::node(self.folder.path(), node.port);
    }

    /// Waits until every node serves and every replica follows its master.
    pub(crate) fn wait_until_whole(&self) {
        for node in &self.nodes {
            until(|| node.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok"), "a node never serves");
            let follows = || {
                let said = node.ask(&["INFO", "replication"]);
                // a replica that still loads its copy is connected as well
                said.contains("master_link_status:up") || said.contains("state=online")
            };
            until(follows, "a replica never follows");
        }
    }
}

impl Node {
    /// What it says; nothing when it is not there.
    fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        if output.status.success() { String::from_utf8_lossy(&output.stdout).into_owned() } else { String::new() }
    }
}

impl Drop for RedisCluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // one that was killed before cannot be killed
            let _gone = node.child.kill().and_then(|()| node.child.wait());
        }
    }
}

/// Six ports that are free, and those of the nodes' own conversation, which Redis puts 10,000 above.
fn ports() -> Vec<u16> {
    let mut held = Vec::new();
    while held.len() < 6 {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        let other = port.checked_add(10_000).and_then(|bus| TcpListener::bind(("127.0.0.1", bus)).ok());
        held.extend(other.map(|other| (port, one, other)));
    }
    held.iter().map(|(port, _, _)| *port).collect()
}

fn node(folder: &Path, port: u16) -> Child {
    let place = folder.join(port.to_string());
    std::fs::create_dir_all(&place).unwrap();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(&place);
    command.args(["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"]);
    // with the delay of five seconds as delivered, a master that is killed early is never replaced
    command.args(["--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Asks until it is so. A question is a process, which gives the servers their time.
fn until(so: impl Fn() -> bool, otherwise: &str) {
    assert!((0..5_000).any(|_| so()), "{otherwise}");
}
