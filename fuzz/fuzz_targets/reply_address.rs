#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| readdress_fuzz::reply_address(input));
