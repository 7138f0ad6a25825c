#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mosaic_parsers::run("discovery_invitation", bytes));
