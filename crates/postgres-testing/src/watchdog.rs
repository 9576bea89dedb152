//! Stops a server and deletes its folder when this process ends, however it ends: a shell waits for the
//! end of a pipe whose other end only this process holds.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Reads one line. `done` means that all was tidied up; the end of the pipe that nobody did.
const SCRIPT: &str = r#"
trap '' INT TERM HUP PIPE
read -r word
[ "$word" = done ] && exit 0
server=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
[ -n "$server" ] && kill -QUIT "$server" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$0" 2>/dev/null
    [ -e "$0" ] || exit 0
    sleep 0.2
done
"#;

/// The shell that waits.
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Watches over the folder of a cluster.
    pub(crate) fn start(folder: &Path) -> Result<Self, String> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own: Ctrl-C on the tests must not end it before its work.
        let shell = command.process_group(0).spawn().map_err(|error| format!("cannot start sh: {error}"))?;
        Ok(Self { shell })
    }

    /// Lets it go: there is nothing left to tidy up.
    pub(crate) fn dismiss(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            // A shell that is gone already needs no word.
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.shell.wait();
    }
}
