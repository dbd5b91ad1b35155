//! Does one piece of work so many times, for an instruction counter: `count NAME TIMES`. See `benches/instructions`.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else { panic!("count NAME TIMES") };
    let all = redfish_benches::all();
    let work = all.iter().find(|work| work.name == name.as_str()).unwrap_or_else(|| panic!("no work {name}"));
    for _ in 0..times.parse().unwrap_or(1_u64) {
        work.run();
    }
}
