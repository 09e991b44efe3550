#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rushdesk_fuzz::entries(bytes));
