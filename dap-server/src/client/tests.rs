//! Requests, answers and events of the client, against a server played by hand.

use tokio::io::split;

use super::*;
use crate::outbox::Outbox;
use crate::protocol::execution::NextArguments;
use crate::protocol::lifecycle::ExitedEvent;
use crate::protocol::reverse::{RunInTerminalArguments, RunInTerminalResponse};
use crate::protocol::sound::Thread;
use crate::protocol::stack::{ThreadsArguments, ThreadsResponse};
use crate::protocol::{Request, ResponseBody};
use crate::transport::Connection;

/// A debugger that knows two threads, refuses to step, and says nothing to anything else until it hangs up at `exit`.
async fn debugger(mut connection: Connection, outbox: Outbox) {
    let pump = outbox.pump(connection.writer);
    let serve = async {
        while let Ok(Some(body)) = connection.reader.next().await {
            let Envelope { seq, content } = Envelope::parse(&body).unwrap();
            match content {
                Content::Response(response) => outbox.answered(response),
                Content::Event(_) => {}
                Content::Request(request) if request.command == "exit" => break,
                Content::Request(request) => serve(&outbox, seq, request),
            }
        }
        outbox.finish();
    };
    let (pumped, ()) = tokio::join!(pump, serve);
    pumped.unwrap();
}

fn serve(outbox: &Outbox, seq: i64, request: RawRequest) {
    let command = request.command.clone();
    let answer = match Request::decode(request) {
        Ok(Request::Threads(_)) => {
            let thread = |id| Thread { id, name: format!("thread {id}") };
            Ok(ResponseBody::Threads(ThreadsResponse { threads: vec![thread(1), thread(2)] }))
        }
        Ok(Request::Pause(_)) => return,
        Ok(_) => Err(Failure::new(ErrorId::Internal, "no {what}").with("what", "way")),
        Err(error) => Err(error.into()),
    };
    outbox.respond(match answer {
        Ok(body) => body.into_response(seq, command),
        Err(failure) => failure.into_response(seq, command),
    });
}

fn start() -> (Client, Events, Outbox, tokio::task::JoinHandle<Result<(), ReadError>>) {
    let (connection, theirs) = Connection::in_memory();
    let outbox = Outbox::new();
    tokio::spawn(debugger(connection, outbox.clone()));
    let (reader, writer) = split(theirs);
    let (client, events, driver) = connect(reader, writer, |request| match request {
        ReverseRequest::RunInTerminal(_) => {
            let body = RunInTerminalResponse { process_id: Some(7), ..RunInTerminalResponse::default() };
            Ok(ReverseResponseBody::RunInTerminal(body))
        }
        other => refuse(other),
    });
    (client, events, outbox, tokio::spawn(driver))
}

fn raw(command: &str) -> RawRequest {
    RawRequest { command: command.to_owned(), arguments: None }
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_requests() {
    let (client, _events, _outbox, _driver) = start();
    let pause = client.send(RawRequest {
        arguments: Some(serde_json::value::to_raw_value(&serde_json::json!({"threadId": 1})).unwrap()),
        ..raw("pause")
    });
    let threads = client.request(&ThreadsArguments {}).await.unwrap().threads;
    assert_eq!(threads.iter().map(|thread| thread.id).collect::<Vec<_>>(), [1, 2]);
    let refused = client.request(&NextArguments { thread_id: 1, ..NextArguments::default() }).await;
    let Err(ClientError::Refused { text, error }) = refused else { panic!("{refused:?}") };
    assert_eq!((text.as_str(), error.unwrap().id), ("no way", 1005));
    let unknown = client.send(raw("unknownFoo"));
    assert_eq!(unknown.seq, 4);
    let response = unknown.response().await.unwrap();
    assert!(!response.success && response.request_seq == 4);
    client.send(raw("exit"));
    assert!(matches!(pause.response().await, Err(ClientError::Closed)));
    assert!(matches!(client.send(raw("threads")).response().await, Err(ClientError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order_and_end_with_the_connection() {
    let (client, mut events, outbox, driver) = start();
    for exit_code in [1, 2] {
        outbox.tell(Event::Exited(ExitedEvent { exit_code }));
    }
    for code in [1, 2] {
        let event = events.next().await.unwrap().unwrap();
        assert!(matches!(event, Event::Exited(ExitedEvent { exit_code }) if exit_code == code), "{event:?}");
    }
    drop(client);
    driver.await.unwrap().unwrap();
    assert!(events.next_raw().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn questions_of_the_debugger_are_answered() {
    let (_client, _events, outbox, _driver) = start();
    let answer = outbox.ask(&ReverseRequest::RunInTerminal(RunInTerminalArguments::default()));
    let response = answer.await.unwrap();
    let body = RunInTerminalArguments::body(response.body.as_deref()).unwrap();
    assert_eq!(body.process_id, Some(7));
    let unknown = outbox.ask(&ReverseRequest::Custom(raw("stepback/sing")));
    let response = unknown.await.unwrap();
    assert_eq!(response.message.as_deref(), Some("this client does not serve 'stepback/sing'"));
}
