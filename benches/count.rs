//! Runs a benchmark a number of times under an instruction counter: `count NAME COUNT`. See `benches/instructions`.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, count] = arguments.as_slice() else { panic!("usage: count NAME COUNT") };
    let all = redfish_benches::all();
    let benchmark = all.iter().find(|benchmark| benchmark.name == name.as_str()).expect("a benchmark");
    for _ in 0..count.parse().unwrap_or(1_u64) {
        benchmark.run();
    }
}
