//! What arrives at the process.

use crate::bench::{Bench, With};
use attune_domain::catalogue::{
    OutputFormat, ParameterDelivery as Delivery, ParameterFormat as Format,
};
use attune_domain::runtime::Runtime;
use attune_ports::{LogStream, runner::Invocation};
use serde_json::{Value, json};

fn parameters() -> Value {
    json!({"name": "it's", "opts": {"deep": true, "none": null}, "list": [1, "two"]})
}

#[tokio::test]
async fn each_format_by_each_delivery() {
    let rows = [
        (Format::Json, parameters().to_string()),
        (Format::Yaml, "list:\n- 1\n- two\nname: it's\nopts:\n  deep: true\n  none: null\n".into()),
        (
            Format::Dotenv,
            "list='[1,\"two\"]'\nname='it'\\''s'\nopts.deep='true'\nopts.none=''".into(),
        ),
    ];
    for (format, document) in rows {
        let bench = Bench::new();
        let by = |delivery, text| Invocation {
            parameter_format: format,
            parameter_delivery: delivery,
            ..bench.script(text).with(parameters())
        };
        let outcome = bench.run(by(Delivery::Stdin, "cat")).await;
        assert_eq!(outcome.result["stdout"], format!("{document}\n"), "{format:?} on stdin");

        let text = "cat \"$ATTUNE_PARAMETER_FILE\"; cat; stat -c %a \"$ATTUNE_PARAMETER_FILE\" >&2";
        let outcome = bench.run(by(Delivery::File, text)).await;
        assert_eq!(outcome.result["stdout"], document, "{format:?} by file, nothing on stdin");
        assert_eq!(bench.log(LogStream::Stderr).as_deref(), Some("400\n"));
        bench.assert_tidy();
    }
}

#[tokio::test]
async fn no_parameters_are_an_empty_document() {
    let bench = Bench::new();
    for (format, expected) in
        [(Format::Json, "{}\n"), (Format::Yaml, "{}\n\n"), (Format::Dotenv, "\n")]
    {
        let invocation = Invocation { parameter_format: format, ..bench.script("cat") };
        assert_eq!(bench.run(invocation).await.result["stdout"], expected, "{format:?}");
    }
}

#[tokio::test]
async fn a_document_larger_than_a_pipe_arrives_whole() {
    let bench = Bench::new();
    let text = "x".repeat(1_000_000);
    let outcome = bench.run(bench.script("wc -c").with(json!({ "text": text }))).await;
    let counted = outcome.result["stdout"].as_str().unwrap().trim();
    assert_eq!(counted, (json!({ "text": text }).to_string().len() + 1).to_string());
}

#[tokio::test]
async fn python_and_node_read_and_answer_json() {
    let bench = Bench::new();
    std::fs::create_dir(bench.pack().join("lib")).unwrap();
    std::fs::write(bench.pack().join("lib/shared.py"), "FACTOR = 2\n").unwrap();
    bench.file(
        "double.py",
        "import json, sys\nfrom shared import FACTOR\nn = json.load(sys.stdin)['n']\nprint(json.dumps({'n': n * FACTOR}))\n",
        0o644,
    );
    bench.file(
        "double.js",
        "const p = JSON.parse(require('fs').readFileSync(0));\nconsole.log(JSON.stringify({n: p.n * 2}));\n",
        0o644,
    );
    for (runtime, file) in [(Runtime::Python, "double.py"), (Runtime::Node, "double.js")] {
        let invocation = Invocation { runtime, ..bench.code(file) };
        let invocation = invocation.with(json!({"n": 21})).printing(OutputFormat::Json);
        let outcome = bench.run(invocation).await;
        assert_eq!(outcome.result["data"], json!({"n": 42}), "{}", outcome.result);
    }
}
