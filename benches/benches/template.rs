//! What rendering a rule's parameters costs, once per matched event: with paths, which are mere
//! look-ups, and with expressions, which enter the expression engine.

use std::hint::black_box;

use attune_domain::template::{Scope, Template};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

fn render(criterion: &mut Criterion) {
    let event = json!({
        "id": 7,
        "payload": {
            "host": { "name": "db1", "address": "192.0.2.7" },
            "items": [{ "sku": "a-1", "count": 2 }, { "sku": "b-2", "count": 1 }],
            "load": 0.5,
        },
    });
    let paths = json!({
        "host": "{{ event.payload.host.name }}",
        "text": "{{ event.payload.host.name }} ({{ event.payload.host.address }}) is busy",
        "first": "{{ event.payload.items.0.sku }}",
        "load": "{{ event.payload.load }}",
        "channel": "#operations",
    });
    let expressions = json!({
        "host": "{{ upper(event.payload.host.name) }}",
        "busy": "{{ event.payload.load > 0.4 and length(event.payload.items) == 2 }}",
    });
    let rendered = once(&expressions, &event);
    assert_eq!(rendered, json!({ "host": "DB1", "busy": true }), "what is measured works");

    for (name, template) in [("template_paths", &paths), ("template_expressions", &expressions)] {
        let template = Template::parse(template);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let scope = Scope::lenient().root("event", &event);
                black_box(template.render(black_box(&scope)))
            });
        });
    }
}

fn once(template: &Value, event: &Value) -> Value {
    let scope = Scope::lenient().root("event", event);
    Template::parse(template).render(&scope).expect("a template without mistakes")
}

criterion_group!(benches, render);
criterion_main!(benches);
