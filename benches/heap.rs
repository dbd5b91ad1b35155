//! Allocations and peak memory of each benchmark, and their bounds.

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// The number of allocations, and the peak in bytes above the memory in use before.
fn measure(benchmark: &redfish_benches::Benchmark) -> (u64, usize) {
    benchmark.run();
    let profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get();
    benchmark.run();
    let after = dhat::HeapStats::get();
    drop(profiler);
    (after.total_blocks - before.total_blocks, after.max_bytes - before.curr_bytes)
}

/// The bytes of a client that shares its transport: its service, credentials and session. Sends nothing.
macro_rules! idle_client {
    ($adapter:ident) => {{
        let transport = $adapter::Transport::default();
        let build = || {
            let service =
                std::sync::Arc::new($adapter::Service::new("https://bmc.example").expect("a service"));
            let uri = Some("/redfish/v1/SessionService/Sessions/5");
            let session =
                redfish_proto::Session::from_token(&service, "4899e7dd7b23d25e4899e7dd7b23d25e", uri);
            $adapter::Client::builder(service)
                .login($adapter::Credentials::new("administrator", "a password of some length"))
                .resume(session.expect("a session"))
                .transport(&transport)
                .build()
                .expect("a client")
        };
        drop(build());
        let profiler = dhat::Profiler::builder().testing().build();
        let before = dhat::HeapStats::get().curr_bytes;
        let client = build();
        let bytes = dhat::HeapStats::get().curr_bytes - before;
        drop(client);
        drop(profiler);
        bytes
    }};
}

fn main() {
    let measured: Vec<_> =
        redfish_benches::all().iter().map(|benchmark| (benchmark.name, measure(benchmark))).collect();
    println!("{:16} {:>12} {:>12}", "benchmark", "allocations", "peak bytes");
    for (name, (allocations, peak)) in &measured {
        println!("{name:16} {allocations:>12} {peak:>12}");
    }
    for (name, bytes) in
        [("idle client async", idle_client!(redfish_hyper)), ("idle client sync", idle_client!(redfish_ureq))]
    {
        println!("{name:18} {bytes:>23}");
        assert!(bytes <= 1 << 10, "an idle client needs {bytes} bytes");
    }
    let of = |name: &str| {
        measured.iter().find(|(n, _)| *n == name).map(|(_, m)| *m).unwrap_or_else(|| panic!("{name}"))
    };
    let (exchange, by_hand) = (of("exchange core"), of("exchange hand"));
    assert!(exchange.0 <= by_hand.0, "an exchange allocates more than manual code");
    let (page, empty, value) = (of("page core"), of("page empty"), of("page value"));
    let members = page.0 - empty.0;
    println!("the members of a page: {members} allocations");
    assert!(members <= 20, "the members of a page need {members} allocations");
    assert!(page.1 * 3 <= value.1, "a page needs more than a third of the memory of a Value");
    assert_eq!(of("texts view").0, 0, "texts without escapes are borrowed");
    let (names, value) = (of("names view"), of("names value"));
    assert!(names.0 <= 30 && names.1 * 10 <= value.1, "{} allocations, {} bytes", names.0, names.1);
}
