//! Times of each piece of work, those to be compared in one group.

use criterion::{Criterion, criterion_group, criterion_main};

fn work(criterion: &mut Criterion) {
    for work in redfish_benches::all() {
        criterion.bench_function(work.name, |b| b.iter(|| work.run()));
    }
}

criterion_group!(benches, work);
criterion_main!(benches);
