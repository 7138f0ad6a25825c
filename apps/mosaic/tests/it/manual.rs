use crate::support::Install;

#[test]
fn completions_and_manual_pages_exist() {
    let home = Install::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completions", shell]).done();
        assert!(script["completions"].as_str().unwrap().contains("broadcast"), "{shell}");
    }
    assert!(home.run(&["man"]).done()["man"].as_str().unwrap().contains("Exit codes"));
    assert!(home.run(&["man", "query"]).done()["man"].as_str().unwrap().contains("time\\-window"));
    home.run(&["man", "nothing"]).failed(2, "no subcommand");
}

/// Every subcommand documents itself with examples.
#[test]
fn every_command_shows_examples() {
    let commands = [
        "up",
        "demo",
        "agent",
        "provider",
        "federation",
        "join",
        "lab",
        "open",
        "open-door",
        "broadcast",
        "query",
        "wave",
        "people",
        "associate",
        "status",
        "receipts",
        "aggregates",
        "config",
        "corpus",
        "export",
        "import",
        "debug",
        "places",
        "traces",
        "completions",
        "man",
    ];
    for name in commands {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_mosaic")).args([name, "--help"]).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains("Examples:"), "{name}");
    }
}
