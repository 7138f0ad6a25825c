use std::{
    path::Path,
    process::{Command, id},
};

use crate::support::{Install, Staying, command, ended, practice_clock};

/// Two machines: network namespaces joined by a virtual cable.
struct TwoMachines {
    here: String,
    there: String,
}

impl TwoMachines {
    /// Needs root and iproute2; `None` without them.
    fn build() -> Option<Self> {
        let pair = Self { here: format!("mosaic-a{}", id()), there: format!("mosaic-b{}", id()) };
        let (a, b) = (pair.here.as_str(), pair.there.as_str());
        let cable = [format!("ma{}", id()), format!("mb{}", id())];
        let steps: [&[&str]; 9] = [
            &["netns", "add", a],
            &["netns", "add", b],
            &["link", "add", &cable[0], "type", "veth", "peer", "name", &cable[1]],
            &["link", "set", &cable[0], "netns", a],
            &["link", "set", &cable[1], "netns", b],
            &["-n", a, "addr", "add", "10.77.0.1/24", "dev", &cable[0]],
            &["-n", b, "addr", "add", "10.77.0.2/24", "dev", &cable[1]],
            &["-n", a, "link", "set", &cable[0], "up"],
            &["-n", b, "link", "set", &cable[1], "up"],
        ];
        let loopback = [["-n", a, "link", "set", "lo", "up"], ["-n", b, "link", "set", "lo", "up"]];
        let built = steps.into_iter().all(ip) && loopback.iter().all(|step| ip(step));
        built.then_some(pair)
    }

    /// The binary on one of the machines.
    fn command(namespace: &str, dir: &Path) -> Command {
        let inner = command(dir);
        let mut outer = Command::new("ip");
        outer.args(["netns", "exec", namespace]).arg(inner.get_program()).args(inner.get_args());
        outer
    }
}

impl Drop for TwoMachines {
    fn drop(&mut self) {
        for name in [&self.here, &self.there] {
            ip(&["netns", "delete", name]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).output().is_ok_and(|output| output.status.success())
}

/// A second machine joins by link and broadcasts; the three providers on the first acknowledge.
#[test]
fn a_second_machine_joins_and_broadcasts() {
    let Some(machines) = TwoMachines::build() else {
        assert!(std::env::var_os("CI").is_none(), "network namespaces need root and iproute2; run CI with both");
        return;
    };
    let first = Install::new();
    let mut create = command(first.path());
    create.args(["federation", "create", "--practice", "--name", "two machines", "--center=-45,0", "--output"]);
    create.arg(first.file("federation.json"));
    for number in ["1", "2", "3"] {
        let dir = first.file(&format!("p{number}"));
        let listen = format!("10.77.0.1:744{number}");
        let mut init = TwoMachines::command(&machines.here, &dir);
        init.args(["provider", "init", "--number", number, "--listen", &listen]);
        ended(init.output().unwrap()).done();
        create.arg("--provider").arg(dir.join("public.json"));
    }
    ended(create.output().unwrap()).done();
    let clock = practice_clock(120.0);
    for number in ["1", "2", "3"] {
        let mut sign = command(&first.file(&format!("p{number}")));
        ended(sign.args(["provider", "sign"]).arg(first.file("federation.json")).output().unwrap()).done();
    }
    let _providers: Vec<Staying> = ["1", "2", "3"]
        .iter()
        .map(|number| {
            let mut run = TwoMachines::command(&machines.here, &first.file(&format!("p{number}")));
            run.args(["provider", "run", "--parent-on-stdin", "--practice-clock", &clock, "--federation"]);
            Staying::start_ok(run.arg(first.file("federation.json")))
        })
        .collect();
    let link = first.run(&["federation", "link"]).done()["link"].as_str().unwrap().to_owned();

    let second = Install::new();
    let there =
        |args: &[&str]| ended(TwoMachines::command(&machines.there, second.path()).args(args).output().unwrap());
    let joined = there(&["join", &link]).done();
    assert_eq!(joined["providers"], 3);
    second.write("practice.password", "both machines are mine");
    let mut agent = TwoMachines::command(&machines.there, second.path());
    agent.args(["agent", "--parent-on-stdin", "--practice-clock", &clock]);
    let _agent = Staying::start_ok(&mut agent);
    there(&["broadcast", "--context", "coffee meetup"]).done();
    for _ in 0..4_000 {
        let status = there(&["status"]).done();
        if status["deposits_acked"].as_u64().unwrap() >= 2 {
            assert_eq!(status["reach"], "whole");
            return;
        }
    }
    panic!("no deposit of the second machine was acknowledged: {:?}", there(&["status"]))
}
