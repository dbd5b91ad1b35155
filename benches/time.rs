//! Times of each piece of work, and the bytes a second that it reads.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn work(criterion: &mut Criterion) {
    for work in redfish_benches::all() {
        let mut group = criterion.benchmark_group(work.name);
        group.throughput(Throughput::Bytes(work.bytes as u64));
        group.bench_function("time", |b| b.iter(|| work.run()));
    }
}

criterion_group!(benches, work);
criterion_main!(benches);
