//! `tracer record`: what it adds to `tracer run`.

use std::fs::{File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bytesize::ByteSize;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::config::RecordArgs;
use crate::pipeline::Settings;
use crate::recording::{Header, Recorder, Secrets, Totals};
use crate::trace::Clock;

/// Of the file: its owner reads and writes.
const MODE: u32 = 0o600;

/// Begins the recording.
pub(super) fn start(args: &RecordArgs, settings: &Settings, clock: &Clock) -> Result<Recorder> {
    let name = args.file.display();
    let file = create(&args.file, args.force)?;
    let secrets = if args.with_secrets { Secrets::Kept } else { Secrets::Masked };
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let header = Header::new(settings, clock, kernel, secrets);
    Recorder::start(file, &header, args.max_size)
        .with_context(|| format!("cannot write the recording {name}"))
}

/// Creates the file, which its owner alone can read: who asked whom for what is private even where
/// no secret is in it. `force`: also over one that is there, whoever could read that.
fn create(path: &Path, force: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(MODE).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let name = path.display();
    let file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{name} is there already; --force writes over it"),
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            anyhow!("cannot write {name}: it is a symbolic link")
        }
        _ => anyhow!("cannot write {name}: {error}"),
    })?;
    // A device stays as it is for all others.
    let is_file = file.metadata().with_context(|| format!("cannot look at {name}"))?.is_file();
    if is_file {
        let mode = Permissions::from_mode(MODE);
        file.set_permissions(mode).with_context(|| format!("cannot keep {name} private"))?;
    }
    Ok(file)
}

/// Said at the start.
pub(super) fn announcement(args: &RecordArgs) -> String {
    let name = args.file.display();
    if args.with_secrets {
        format!(
            "recording to {name}\nWARNING: --with-secrets: {name} will hold every byte that is seen, \
             passwords, cookies and keys included; give it to nobody"
        )
    } else {
        format!("recording to {name}; secrets and bodies are masked")
    }
}

/// Said at the end.
pub(super) fn summary(args: &RecordArgs, totals: &Totals, took: Duration) -> String {
    let size = ByteSize::b(totals.bytes).display().iec();
    let (name, inputs, seconds) = (args.file.display(), totals.inputs, took.as_secs_f64());
    let mut text = format!("recorded: {inputs} events, {size}, {seconds:.1} s to {name}\n");
    if totals.lost > 0 {
        text.push_str(&format!("lost: {} recording_queue_full\n", totals.lost));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::create;

    #[test]
    fn the_file_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        create(&file, false).unwrap();
        assert_eq!(mode(), 0o600);
        assert!(create(&file, false).is_err());
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        create(&file, true).unwrap();
        assert_eq!((mode(), fs::read(&file).unwrap()), (0o600, vec![]));
        fs::write(&file, "precious").unwrap();
        symlink(&file, &link).unwrap();
        let error = create(&link, true).unwrap_err().to_string();
        assert!(error.ends_with("it is a symbolic link"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"precious");
    }
}
