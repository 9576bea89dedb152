//! A server process, killed when dropped.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Connection, Sandbox};

pub(crate) struct Server {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::start_with(sandbox, &[])
    }

    pub(crate) fn start_with(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::start_in(sandbox, args, &[])
    }

    /// With more in its environment.
    pub(crate) fn start_in(sandbox: &Sandbox, args: &[&str], env: &[(&str, &PathBuf)]) -> Self {
        let base = ["serve", "--json", "--log", "warn", "--listen", "127.0.0.1:0"];
        // Nobody but the test sends requests, so nobody has to notice.
        let base = if args.contains(&"--drain-delay") {
            base.to_vec()
        } else {
            [&base[..], &["--drain-delay", "0"]].concat()
        };
        let mut command = sandbox.command(&[&base[..], args].concat());
        let mut child = command.envs(env.iter().copied()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let ready = line(&mut out);
        let address = ready["address"].as_str().and_then(|url| url.strip_prefix("http://"));
        let address = address.expect("an address").parse().expect("an address");
        Self { child, out, address }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> Value {
        line(&mut self.out)
    }

    pub(crate) fn connect(&self, key: &str) -> Connection {
        Connection::open(self.address, key).expect("it listens")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// SIGKILL: no chance to write anything.
    pub(crate) fn kill_hard(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM, and the code it ends with.
    pub(crate) fn terminate(self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Sends a signal: to end, to freeze, to go on.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("it runs");
    }

    /// The code with which it ends by itself.
    pub(crate) fn ended(mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().expect("ours") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not stop");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(out: &mut impl BufRead) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).expect("its output");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}
