//! Who must not get in: steps of the job, other users, web pages, and whoever has no token.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::listening::{Blocking, Listening, runtime};
use crate::crash::process::Scene;

/// Looks for debuggers at the places named, or else at every loopback port that was not there before and at every socket
/// below a folder; says what each has answered to a whole attack.
const ATTACK: &str = r#"
use strict; use Socket; use IO::Socket::INET; use IO::Socket::UNIX; use File::Find;
$SIG{PIPE} = 'IGNORE'; $| = 1;
my ($token, $known, @folders) = @ARGV;
my @places = split /,/, $known;
if (@folders) {
    my %known = map { $_ => 1 } @places; @places = ();
    open my $tcp, '<', '/proc/net/tcp' or die;
    while (<$tcp>) {
        my (undef, $local, undef, $state) = split;
        push @places, '127.0.0.1:' . hex $1 if $state eq '0A' && $local =~ /^0100007F:(....)$/ && !$known{hex $1};
    }
    find({ wanted => sub { push @places, $File::Find::name if -S $_ }, no_chdir => 1 }, @folders);
}
sub frame { my $b = shift; 'Content-Length: ' . length($b) . "\r\n\r\n$b" }
my $attack = frame('{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"x"}}')
    . frame('{"seq":2,"type":"request","command":"attach","arguments":{"token":"' . $token . '"}}')
    . frame('{"seq":3,"type":"request","command":"evaluate","arguments":{"expression":"! touch pwned","context":"repl"}}');
for my $place (@places) {
    my $peer = $place =~ m{/} ? IO::Socket::UNIX->new(Peer => $place) : IO::Socket::INET->new($place);
    if (!$peer) { print "$place closed\n"; next }
    syswrite $peer, $attack;
    shutdown $peer, 1;
    my ($all, $part) = ('', '');
    alarm 60;
    $all .= $part while sysread $peer, $part, 65536;
    alarm 0;
    print "$place ", length $all, "\n";
}
"#;

/// A job whose only step tries everything that it can think of against its debugger.
const WORKFLOW: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - run: |
          env > EVIDENCE.env
          for pid in $$ $PPID; do tr '\\0' '\\n' < /proc/$pid/environ; done >> EVIDENCE.env 2> /dev/null || true
          perl ATTACK '' \"$(cat KNOWN)\" FOLDERS > EVIDENCE
          echo tried > SAID
          read -r go < TOLD
";

fn scene() -> Scene {
    let scene = Scene::new("");
    let beside = scene.sandbox.beside().to_owned();
    let path = |name: &str| beside.join(name).display().to_string();
    fs::write(path("attack.pl"), ATTACK).unwrap();
    fs::write(path("known"), listening_ports().join(",")).unwrap();
    let workflow = WORKFLOW
        .replace("EVIDENCE", &path("evidence"))
        .replace("ATTACK", &path("attack.pl"))
        .replace("KNOWN", &path("known"))
        .replace("FOLDERS", &format!("{} \"$XDG_RUNTIME_DIR\"", beside.display()))
        .replace("SAID", &path("said"))
        .replace("TOLD", &path("told"));
    scene.sandbox.write(".github/workflows/ci.yml", &workflow);
    scene
}

/// What listens on this machine already is other people's business.
fn listening_ports() -> Vec<String> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let listens = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let (address, state) = (columns.next()?, columns.nth(1)?);
        let port = address.split_once(':')?.1;
        (state == "0A").then(|| u16::from_str_radix(port, 16).unwrap().to_string())
    };
    table.lines().filter_map(listens).collect()
}

/// Attacks as another process of this machine; gives what each place has answered, in bytes.
fn attack(before: &[&str], token: &str, places: &[&str]) -> Vec<(String, String)> {
    let places = places.join(",");
    let words = [before, &["perl", "-e", ATTACK, "--", token, &places]].concat();
    let ran = Command::new(words[0]).args(&words[1..]).current_dir("/").output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    answers(&String::from_utf8_lossy(&ran.stdout))
}

fn answers(text: &str) -> Vec<(String, String)> {
    let split = |line: &str| line.rsplit_once(' ').map(|(place, bytes)| (place.to_owned(), bytes.to_owned()));
    text.lines().filter_map(split).collect()
}

fn has_perl() -> bool {
    let found =
        Command::new("perl").args(["-MIO::Socket::UNIX", "-e", "1"]).status().is_ok_and(|s| s.success());
    if !found {
        println!("skipped: there is no perl here");
    }
    found && cfg!(target_os = "linux")
}

#[track_caller]
fn check_step(arguments: &[&str]) {
    if !has_perl() {
        return;
    }
    let mut scene = scene();
    let debugger = Listening::start(&scene.sandbox, arguments);
    let address = debugger.address.clone();
    let token = debugger.token.clone().unwrap_or_default();
    // Somebody has come and gone, so that nobody is in the way of the step, and the job runs.
    let mut client = debugger.client();
    client.attach(&debugger.attachment());
    client.ask("disconnect", &json!({ "terminateDebuggee": false }));
    client.rest();
    assert_eq!(scene.hear(), "tried");

    let beside = scene.sandbox.beside().to_owned();
    let evidence = fs::read_to_string(beside.join("evidence")).unwrap();
    let own = answers(&evidence).into_iter().find(|(place, _)| *place == address);
    assert_eq!(own.map(|(_, bytes)| bytes).as_deref(), Some("0"), "of {address}:\n{evidence}");
    // From elsewhere the same is answered, so the attack is one.
    let elsewhere = attack(&["env"], "", &[&address]);
    assert!(elsewhere[0].1.parse::<usize>().is_ok_and(|bytes| bytes > 100), "{elsewhere:?}");
    if !token.is_empty() {
        let environment = fs::read_to_string(beside.join("evidence.env")).unwrap();
        assert!(environment.contains("GITHUB_WORKSPACE") && !environment.contains(&token));
        assert!(!holds(&beside, token.as_bytes()), "the token lies on disk");
    }
    scene.tell(1);
    assert_eq!(debugger.ended(), Some(0));
    let workspaces = [scene.sandbox.root(), beside.join("cache")];
    assert!(workspaces.iter().all(|folder| !has_file(folder, "pwned")), "a command was run");
}

#[test]
fn a_step_that_looks_for_its_debugger_on_ports_gets_nothing() {
    check_step(&["--listen=127.0.0.1:0"]);
}

#[test]
fn a_step_that_looks_for_its_debugger_among_sockets_gets_nothing() {
    check_step(&["--listen"]);
}

#[test]
fn another_user_gets_nothing() {
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let outside = ["unshare", "-U", "--map-auto", "--map-root-user"];
    let ways = [user.to_vec(), [&outside[..], &user[..]].concat()];
    let works = |way: &&Vec<&str>| {
        Command::new(way[0]).args(&way[1..]).arg("true").status().is_ok_and(|s| s.success())
    };
    let (true, Some(way)) = (has_perl(), ways.iter().find(works)) else {
        println!("skipped: nobody can be another user here");
        return;
    };
    for listen in ["--listen=127.0.0.1:0", "--listen"] {
        let scene = scene();
        let debugger = Listening::start(&scene.sandbox, &[listen]);
        let places = [debugger.address.as_str()];
        let token = debugger.token.clone().unwrap_or_default();
        if listen == "--listen" {
            assert_eq!(attack(way, &token, &places)[0].1, "closed", "the folder is open to others");
            // Even where the folder lets others through, the debugger does not.
            let folder = runtime(&scene.sandbox);
            for open in [scene.sandbox.beside(), &folder, &folder.join("stepback"), Path::new(places[0])] {
                fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
            }
        }
        assert_eq!(attack(way, &token, &places)[0].1, "0", "{listen}");
        let ours = attack(&["env"], &token, &places);
        assert!(ours[0].1.parse::<usize>().is_ok_and(|bytes| bytes > 100), "{ours:?}");
    }
}

#[test]
fn a_web_page_gets_nothing() {
    for listen in ["--listen=127.0.0.1:0", "--listen"] {
        let scene = scene();
        let debugger = Listening::start(&scene.sandbox, &[listen]);
        let mut body = String::new();
        for (command, arguments) in
            [("initialize", json!({ "adapterID": "x" })), ("attach", debugger.attachment())]
        {
            let message = json!({ "seq": 1, "type": "request", "command": command, "arguments": arguments });
            let message = message.to_string();
            body += &format!("Content-Length: {}\r\n\r\n{message}", message.len());
        }
        for head in ["POST / HTTP/1.1", "GET /x HTTP/1.1", "OPTIONS * HTTP/1.1"] {
            let mut page = debugger.client();
            let length = body.len();
            page.send_raw(
                format!(
                    "{head}\r\nHost: {}\r\nOrigin: https://example.org\r\nContent-Type: text/plain\r\n\
                     Content-Length: {length}\r\n\r\n{body}",
                    debugger.address
                )
                .as_bytes(),
            );
            assert_eq!(String::from_utf8_lossy(&page.rest()), "", "{head}");
        }
        // The debugger is none the worse for it.
        debugger.client().attach(&debugger.attachment());
    }
}

#[test]
fn whoever_has_no_token_learns_nothing_but_that() {
    let scene = scene();
    let debugger = Listening::start(&scene.sandbox, &["--listen=127.0.0.1:0"]);
    let right = debugger.token.clone().unwrap();
    let almost = format!("{}{}", &right[..63], if right.ends_with('0') { '1' } else { '0' });
    let tokens =
        [json!(almost), json!(right[..63]), json!(""), Json::Null, json!(right.to_uppercase() + " ")];
    let mut refusals: Vec<String> = Vec::new();
    for token in &tokens {
        refusals.push(refusal(debugger.client(), "attach", &json!({ "token": token })));
    }
    refusals.push(refusal(debugger.client(), "attach", &json!({})));
    for command in ["threads", "evaluate", "disconnect", "stepback/timeline", "configurationDone"] {
        let arguments = json!({ "token": right, "expression": "1", "threadId": 1 });
        refusals.push(refusal(debugger.client(), command, &arguments));
    }
    assert!(refusals.iter().all(|text| *text == refusals[0]), "{refusals:#?}");
    assert!(refusals[0].contains("not admitted"), "{}", refusals[0]);
    for secret in ["build", "ci.yml", "greeting", &right[..8], &scene.sandbox.beside().to_string_lossy()] {
        assert!(!refusals[0].contains(secret), "{secret} in {}", refusals[0]);
    }
    debugger.client().attach(&debugger.attachment());
}

/// All that a client without a token is told, but for the name of its own request.
fn refusal(mut client: Blocking, command: &str, arguments: &Json) -> String {
    client.ask("initialize", &json!({ "adapterID": "x" }));
    let known = client.heard.len();
    client.send(command, arguments);
    client.send("threads", &json!({}));
    let told = String::from_utf8(client.rest()[known..].to_vec()).unwrap();
    let told = told.replace(&format!("\"command\":\"{command}\""), "\"command\":\"…\"");
    told.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())
}

fn holds(folder: &Path, text: &[u8]) -> bool {
    entries(folder).any(|path| {
        let kind = fs::symlink_metadata(&path).map(|found| found.file_type());
        match kind {
            Ok(kind) if kind.is_dir() => holds(&path, text),
            Ok(kind) if kind.is_file() => {
                fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text))
            }
            _ => false,
        }
    })
}

fn has_file(folder: &Path, name: &str) -> bool {
    entries(folder).any(|path| path.ends_with(name) || (path.is_dir() && has_file(&path, name)))
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}
