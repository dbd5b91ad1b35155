//! Allocations and peak memory of each piece of work, and the bounds that are promised.

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Allocations, and the most bytes at once above what was there before.
fn measure(work: &redfish_benches::Work) -> (u64, usize) {
    work.run();
    let profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get();
    work.run();
    let after = dhat::HeapStats::get();
    drop(profiler);
    (after.total_blocks - before.total_blocks, after.max_bytes - before.curr_bytes)
}

/// Bytes that a client of one of many services keeps: its service, credentials and session, and its share of the
/// transport. Nothing is sent.
macro_rules! idle_client {
    ($adapter:ident) => {{
        let transport = $adapter::Transport::default();
        let make = || {
            let service =
                std::sync::Arc::new($adapter::Service::new("https://bmc.example").expect("a service"));
            let at = Some("/redfish/v1/SessionService/Sessions/5");
            let session =
                redfish_proto::Session::from_token(&service, "4899e7dd7b23d25e4899e7dd7b23d25e", at);
            $adapter::Client::builder(service)
                .login($adapter::Credentials::new("administrator", "a password of some length"))
                .resume(session.expect("a session"))
                .transport(&transport)
                .build()
                .expect("a client")
        };
        drop(make());
        let profiler = dhat::Profiler::builder().testing().build();
        let before = dhat::HeapStats::get().curr_bytes;
        let client = make();
        let kept = dhat::HeapStats::get().curr_bytes - before;
        drop(client);
        drop(profiler);
        kept
    }};
}

fn main() {
    let measured: Vec<_> = redfish_benches::all().iter().map(|work| (work.name, measure(work))).collect();
    println!("{:16} {:>12} {:>12}", "work", "allocations", "peak bytes");
    for (name, (allocations, peak)) in &measured {
        println!("{name:16} {allocations:>12} {peak:>12}");
    }
    for (name, kept) in
        [("idle client async", idle_client!(redfish_hyper)), ("idle client sync", idle_client!(redfish_ureq))]
    {
        println!("{name:18} {kept:>23}");
        assert!(kept <= 1 << 10, "an idle client keeps {kept} bytes");
    }
    let of = |name: &str| {
        measured.iter().find(|(n, _)| *n == name).map(|(_, m)| *m).unwrap_or_else(|| panic!("{name}"))
    };
    let (exchange, by_hand) = (of("exchange core"), of("exchange hand"));
    assert!(exchange.0 <= by_hand.0, "an exchange allocates more than by hand");
    let (page, empty, value) = (of("page core"), of("page empty"), of("page value"));
    let members = page.0 - empty.0;
    println!("the members of a page: {members} allocations");
    assert!(members <= 20, "the members of a page take {members} allocations");
    assert!(page.1 * 3 <= value.1, "a page takes more than a third of the memory of a Value");
}
