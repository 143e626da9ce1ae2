#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| forearm_fuzz::decoder(data));
