//! People in the loop: who asks them waits without a process and without a slot, and ends with its inquiry.

use attune_domain::id::ExecutionId;
use attune_domain::inquiry::{Inquiry, Question, Refusal, Status};
use attune_domain::status::ExecutionStatus;
use attune_journey::inquiry::{self, NewInquiry};
use attune_journey::{load, queue_stats};
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;

/// More than the time that people have by default.
const MONTHS: TimeDelta = TimeDelta::days(40);

async fn result_of(
    harness: &mut Harness<impl Fixture>,
    id: ExecutionId,
) -> (ExecutionStatus, Value) {
    let over = harness.ended(id).await;
    assert!(over.claim.is_none());
    let result = over.result.and_then(|result| result.inline().cloned());
    (over.status, result.unwrap_or_default())
}

/// While somebody waits, others of its lane go on; the first answer that fits completes it.
async fn an_answer_completes_who_waits<F: Fixture>() {
    for twice in [false, true] {
        let mut harness = Harness::<F>::start(Options { twice, ..Options::default() }).await;
        let ask = harness.question("ask").await;
        harness.limit(&ask, 1).await;
        let schema = json!({"approved": {"type": "boolean", "required": true}});
        let asks = json!({"prompt": "Deploy?", "response_schema": schema});
        let (first, second) = (
            harness.request(&ask, "first", &asks).await,
            harness.request(&ask, "second", &asks).await,
        );
        let mut inquiries = Vec::new();
        for id in [first, second] {
            inquiries.push(harness.asks(id).await);
            let waiting = harness.execution(id).await;
            assert_eq!(waiting.status, ExecutionStatus::Running);
            assert!(waiting.claim.is_none() && waiting.started_at.is_some());
            let inquiry = inquiries.last().unwrap();
            let result = waiting.result.and_then(|result| result.inline().cloned());
            assert_eq!(result, Some(json!({"inquiry_id": inquiry.id, "status": "pending"})));
            assert_eq!((inquiry.execution, inquiry.prompt.as_str()), (id, "Deploy?"));
        }
        let stats = queue_stats::of(harness.ports(), &ask).await.unwrap().unwrap();
        assert_eq!((stats.active, stats.queue_length), (0, 0), "who waits holds no slot");
        assert!(harness.runner.started().is_empty(), "and has no process");

        let id = inquiries[0].id;
        for wrong in [json!({}), json!({"approved": "yes"}), json!(true)] {
            let said = inquiry::respond(harness.ports(), id, &wrong, None).await;
            assert!(
                matches!(said, Err(inquiry::Error::Refused(Refusal::Unfit(_)))),
                "{wrong}: {said:?}"
            );
        }
        harness.answer(id, &json!({"approved": true})).await;
        let (status, result) = result_of(&mut harness, first).await;
        assert_eq!(status, ExecutionStatus::Completed);
        let expected = json!({
            "succeeded": true, "response": {"approved": true}, "__inquiry_id": id,
            "__inquiry_created_published": true,
        });
        assert_eq!(result, expected);
        let again = inquiry::respond(harness.ports(), id, &json!({"approved": false}), None).await;
        assert!(matches!(again, Err(inquiry::Error::Refused(Refusal::Over(_)))), "{again:?}");
        assert_eq!(harness.inquiry(id).await.response, Some(json!({"approved": true})));
        harness.answer(inquiries[1].id, &json!({"approved": false})).await;
        assert_eq!(result_of(&mut harness, second).await.0, ExecutionStatus::Completed);
        harness.finish().await;
    }
}

/// Nobody answers: far deadlines are kept by the sweep, near ones by a message alone.
async fn nobody_answers_in_time<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let ask = harness.question("ask").await;
    let patient = harness.request(&ask, "patient", &json!({"prompt": "Go?"})).await;
    let asked = harness.asks(patient).await;
    assert_eq!(asked.timeout_at - asked.created, TimeDelta::days(30));
    harness.sweep().await;
    assert_eq!(harness.inquiry(asked.id).await.status, Status::Pending);

    let hasty = json!({"prompt": "Go?", "timeout_seconds": 0.2});
    let hasty = harness.request(&ask, "hasty", &hasty).await;
    let (status, result) = result_of(&mut harness, hasty).await;
    let inquiry = harness.asks(hasty).await;
    assert_eq!((status, inquiry.status), (ExecutionStatus::Timeout, Status::Timeout));
    let expected =
        json!({"succeeded": false, "error": "inquiry timed out", "__inquiry_id": inquiry.id});
    assert_eq!(result, expected);

    harness.later(MONTHS);
    let late = inquiry::respond(harness.ports(), asked.id, &json!({}), None).await;
    assert!(matches!(late, Err(inquiry::Error::Refused(Refusal::Expired))), "{late:?}");
    harness.sweep().await;
    assert_eq!(result_of(&mut harness, patient).await.0, ExecutionStatus::Timeout);
    harness.finish().await;
}

/// The execution takes its inquiry along, and the other way round.
async fn who_is_withdrawn_takes_the_other_along<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let ask = harness.question("ask").await;
    harness.limit(&ask, 1).await;
    for how in ["execution", "inquiry", "deleted"] {
        let id = harness.request(&ask, how, &json!({"prompt": "Go?"})).await;
        let asked = harness.asks(id).await.id;
        match how {
            "execution" => harness.cancel(id).await,
            "inquiry" => drop(inquiry::cancel(harness.ports(), asked).await.unwrap()),
            _ => inquiry::delete(harness.ports(), asked).await.unwrap(),
        }
        let (status, result) = result_of(&mut harness, id).await;
        assert_eq!(status, ExecutionStatus::Cancelled, "{how}");
        assert_eq!((&result["cancelled"], &result["__inquiry_id"]), (&json!(true), &json!(asked)));
        let left = load::inquiry(harness.ports(), asked).await.unwrap();
        let expected = (how != "deleted").then_some(Status::Cancelled);
        assert_eq!(left.map(|inquiry| inquiry.status), expected, "{how}");
    }
    harness.finish().await;
}

/// A result asks: the execution waits although its process is over, and keeps what it had printed.
async fn a_result_asks<F: Fixture>() {
    for twice in [false, true] {
        let mut harness = Harness::<F>::start(Options { twice, ..Options::default() }).await;
        let plan = harness.action("plan", "plan.sh").await;
        harness.limit(&plan, 1).await;
        let printed = json!({"changes": 3, "__inquiry": {"prompt": "Apply 3 changes?"}});
        let id = harness.request(&plan, "plan", &printed).await;
        let asked = harness.asks(id).await;
        assert_eq!(asked.prompt, "Apply 3 changes?");
        assert_eq!(harness.execution(id).await.status, ExecutionStatus::Running);
        harness.answer(asked.id, &json!("go")).await;
        let (status, result) = result_of(&mut harness, id).await;
        assert_eq!(status, ExecutionStatus::Completed);
        let expected = json!({
            "succeeded": true, "data": {"changes": 3}, "response": "go", "__inquiry_id": asked.id,
            "__inquiry_created_published": true,
        });
        assert_eq!(result, expected);
        harness.finish().await;
    }
}

/// A large result lies elsewhere, and the answer is added to it there.
async fn a_large_result_keeps_its_place<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let plan = harness.action("plan", "plan.sh").await;
    let text = "x".repeat(100_000);
    let printed = json!({"text": text, "__inquiry": {"prompt": "Enough?"}});
    let id = harness.request(&plan, "plan", &printed).await;
    let asked = harness.asks(id).await.id;
    harness.answer(asked, &json!(true)).await;
    let over = harness.ended(id).await;
    let blobs = &*harness.ports().blobs;
    let result = attune_journey::payload::fetch(blobs, &over.result.unwrap()).await.unwrap();
    assert_eq!((&result["data"]["text"], &result["response"]), (&json!(text), &json!(true)));
    harness.finish().await;
}

/// What is no question fails, and nothing goes on as if it had been answered.
async fn wrong_questions_fail<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let (ask, plan) = (harness.question("ask").await, harness.action("plan", "plan.sh").await);
    harness.limit(&ask, 1).await;
    for (action, parameters, why) in [
        (&ask, json!({}), "prompt"),
        (&ask, json!({"prompt": "?", "assigned_to": "nobody"}), "assigned_to"),
        (&ask, json!({"prompt": "?", "response_schema": {"a": 1}}), "response_schema"),
        (&plan, json!({"__inquiry": "go on?"}), "__inquiry"),
        (&plan, json!({"__inquiry": {"prompt": ""}}), "prompt"),
    ] {
        let id = harness.request(action, &parameters.to_string(), &parameters).await;
        let (status, result) = result_of(&mut harness, id).await;
        assert_eq!(status, ExecutionStatus::Failed, "{parameters}");
        let error = result["error"].as_str().unwrap_or_default();
        assert!(error.contains(why), "{parameters}: {error}");
        assert_eq!(result["succeeded"], json!(false));
    }
    // Who failed already does not ask.
    let failing = json!({"fail": true, "__inquiry": {"prompt": "?"}});
    let id = harness.request(&plan, "failing", &failing).await;
    assert_eq!(result_of(&mut harness, id).await.0, ExecutionStatus::Failed);
    assert!(harness.execution(id).await.asked.is_none());
    harness.finish().await;
}

async fn create(
    harness: &Harness<impl Fixture>,
    execution: ExecutionId,
) -> Result<Inquiry, inquiry::AskError> {
    let question = Question::new("Go?", None).unwrap();
    let patience = Duration::from_secs(86_400);
    let new = NewInquiry { execution, question, timeout_at: None, patience };
    inquiry::create(harness.ports(), new).await
}

/// Who asks over the API goes on by itself; the answer does not end it, and its end withdraws the question.
async fn who_asks_while_it_runs_goes_on<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    harness.runner.hold();
    for answered in [true, false] {
        let id = harness.request(&echo, &answered.to_string(), &json!({})).await;
        harness
            .until("it runs", async |ports| {
                let found = load::execution(ports, id).await.unwrap()?;
                (found.status == ExecutionStatus::Running).then_some(())
            })
            .await;
        let asked = create(&harness, id).await.unwrap().id;
        let second = create(&harness, id).await;
        assert!(matches!(second, Err(inquiry::AskError::Asked(first)) if first == asked));
        if answered {
            harness.answer(asked, &json!({"ok": true})).await;
        }
        assert_eq!(harness.execution(id).await.status, ExecutionStatus::Running);
        harness.runner.release(1);
        let (status, result) = result_of(&mut harness, id).await;
        assert_eq!(status, ExecutionStatus::Completed);
        assert_eq!(result, json!({"succeeded": true, "data": {}}), "the answer is no result");
        let expected = if answered { Status::Responded } else { Status::Cancelled };
        assert_eq!(harness.inquiry(asked).await.status, expected);
        let late = create(&harness, id).await;
        assert!(matches!(late, Err(inquiry::AskError::Ended(ExecutionStatus::Completed))));
    }
    harness.finish().await;
}

/// Answer, withdrawal and cancel at the same time, many times: one wins, and inquiry and execution agree.
async fn whoever_comes_first_decides<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let ask = harness.question("ask").await;
    harness.limit(&ask, 2).await;
    for n in 0..60 / F::COST {
        let id = harness.request(&ask, &n.to_string(), &json!({"prompt": "Go?"})).await;
        let asked = harness.asks(id).await.id;
        let ports = harness.ports();
        let answer = json!(n);
        let answering = async {
            for _ in 0..n % 7 {
                tokio::task::yield_now().await;
            }
            inquiry::respond(ports, asked, &answer, None).await.is_ok()
        };
        let again = async { inquiry::respond(ports, asked, &json!("other"), None).await.is_ok() };
        let withdrawing = async { inquiry::cancel(ports, asked).await.is_ok() };
        let cancelling = async { attune_journey::cancel::execution(ports, id).await.is_ok() };
        let (one, other, _, _) = tokio::join!(answering, again, withdrawing, cancelling);
        assert!(!(one && other), "two answers count");
        let (status, result) = result_of(&mut harness, id).await;
        let inquiry = harness.inquiry(asked).await;
        match inquiry.status {
            Status::Responded => {
                assert_eq!(status, ExecutionStatus::Completed);
                assert_eq!(Some(&result["response"]), inquiry.response.as_ref());
            }
            Status::Cancelled => assert_eq!(status, ExecutionStatus::Cancelled),
            other => panic!("{other}"),
        }
    }
    harness.finish().await;
}

attune_tests::on_both! {
    an_answer_completes_who_waits,
    nobody_answers_in_time,
    who_is_withdrawn_takes_the_other_along,
    a_result_asks,
    a_large_result_keeps_its_place,
    wrong_questions_fail,
    who_asks_while_it_runs_goes_on,
    whoever_comes_first_decides,
}
