//! Times and throughput of each benchmark.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn time(criterion: &mut Criterion) {
    for benchmark in redfish_benches::all() {
        let mut group = criterion.benchmark_group(benchmark.name);
        group.throughput(Throughput::Bytes(benchmark.bytes as u64));
        group.bench_function("time", |b| b.iter(|| benchmark.run()));
    }
}

criterion_group!(benches, time);
criterion_main!(benches);
