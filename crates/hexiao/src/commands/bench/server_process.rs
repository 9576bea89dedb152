//! The server under load: a process of its own, started from this same binary.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    cli::{DATABASE_VARIABLE, Global},
    failure::{Failure, Result},
};

const READY_WITHIN: Duration = Duration::from_mins(2);
const STOPPED_WITHIN: Duration = Duration::from_mins(1);

/// A running server process, killed when dropped.
pub(super) struct ServerProcess {
    child: Child,
    pub(super) address: SocketAddr,
    /// The route that does nothing.
    pub(super) noop: SocketAddr,
    /// From the start of the process to the first answer that it could give.
    pub(super) startup_ms: u64,
}

impl ServerProcess {
    /// Starts it on a database and waits until it is ready.
    pub(super) fn start(global: &Global) -> Result<Self> {
        let any_port = "127.0.0.1:0";
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--json", "--log", "warn", "--listen", any_port, "--noop-listen", any_port]);
        // In the environment, because everybody can read a command line.
        command.env(DATABASE_VARIABLE, global.database().expose());
        if let Some(keys) = &global.keys_file {
            command.arg("--keys").arg(keys);
        }
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let ready = first_line(&mut child);
        let startup_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ready = ready.and_then(|line| Ok(serde_json::from_str::<Value>(&line)?));
        let addresses =
            ready.and_then(|ready| Ok((address(&ready, "address")?, address(&ready, "noop_address")?)));
        match addresses {
            Ok((address, noop)) => Ok(Self { child, address, noop, startup_ms }),
            Err(failure) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failure.while_doing("the server did not start"))
            }
        }
    }

    /// The most memory it had resident so far.
    pub(super) fn peak_rss_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u32>().ok());
        let kib =
            kib.ok_or_else(|| Failure::new("the system does not say how much memory the server has"))?;
        Ok(f64::from(kib) / 1024.0)
    }

    /// Asks it to stop and waits for that.
    pub(super) fn stop(mut self) -> Result {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::new("the server has no process id"))?;
        kill_process(pid, Signal::TERM)?;
        let began = Instant::now();
        while began.elapsed() < STOPPED_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(Failure::new(format!("the server ended with {status}")))
                };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(Failure::new("the server did not stop when asked to"))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Fails if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line that the process prints. Read on a thread of its own, because a pipe has no time limit.
fn first_line(child: &mut Child) -> Result<String> {
    let out = child.stdout.take().ok_or_else(|| Failure::new("the server's output is not there"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(out).lines();
        let _ = sender.send(lines.next());
        // Keeps the pipe open and empty, so that the server is never held up by it.
        lines.for_each(drop);
    });
    match receiver.recv_timeout(READY_WITHIN) {
        Ok(Some(line)) => Ok(line?),
        Ok(None) => Err(Failure::new("it ended; its last lines are above")),
        Err(_) => Err(Failure::new("it was not ready in time")),
    }
}

fn address(ready: &Value, name: &str) -> Result<SocketAddr> {
    let url = ready[name].as_str().and_then(|url| url.strip_prefix("http://"));
    Ok(url.ok_or_else(|| Failure::new(format!("it did not say its {name}")))?.parse()?)
}
