//! Starting a process with `posix_spawn`, where a session of its own is one of its flags.
//!
//! Knows what a child becomes; not why.
#![allow(unsafe_code, reason = "posix_spawn has no safe wrapper")]

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::Child;

/// Starts the child; `setsid` is the system's flag for a new session.
pub(super) fn start(child: &Child<'_>, setsid: libc::c_short) -> io::Result<i32> {
    let mut actions = FileActions::new()?;
    actions.duplicate(child.input, 0)?;
    actions.duplicate(child.output, 1)?;
    actions.duplicate(child.output, 2)?;
    actions.change_directory(child.directory)?;
    let attributes = Attributes::new_session(setsid)?;
    let mut pid = 0;
    // SAFETY: all pointers are to values that live until the call returns; both lists end with a null pointer, and the texts are
    // not written to.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            child.program.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            child.arguments.as_ptr().cast(),
            child.environment.as_ptr().cast(),
        )
    })?;
    Ok(pid)
}

/// The functions of the posix_spawn family return the error number itself.
fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}

/// What the child does with its descriptors and directory before the exec.
struct FileActions(MaybeUninit<libc::posix_spawn_file_actions_t>);

impl FileActions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the function initialises what the pointer shows to.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        Ok(Self(actions))
    }

    fn duplicate(&mut self, from: BorrowedFd<'_>, to: libc::c_int) -> io::Result<()> {
        // SAFETY: the actions are initialised; numbers only.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), from.as_raw_fd(), to) })
    }

    fn change_directory(&mut self, directory: &CStr) -> io::Result<()> {
        // SAFETY: the actions are initialised; the path is copied by the call.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(self.0.as_mut_ptr(), directory.as_ptr()) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}

/// Signals that a parent may ignore: `nohup`, a shell's background, our own SIGPIPE.
const IGNORABLE: [libc::c_int; 9] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGPIPE,
    libc::SIGTERM,
    libc::SIGCHLD,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// A session of its own, no blocked signal, every signal at its default (we ignore SIGPIPE; a step must not).
struct Attributes(MaybeUninit<libc::posix_spawnattr_t>);

impl Attributes {
    fn new_session(setsid: libc::c_short) -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the function initialises what the pointer shows to.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        let mut this = Self(attributes);
        let mut signals = MaybeUninit::uninit();
        let flags = setsid
            | libc::c_short::try_from(libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF)
                .unwrap_or(0);
        // SAFETY: the attributes are initialised; the signal set is initialised before each use.
        unsafe {
            check(libc::posix_spawnattr_setflags(this.0.as_mut_ptr(), flags))?;
            libc::sigemptyset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(this.0.as_mut_ptr(), signals.as_ptr()))?;
            // Caught signals become default by the exec itself; these may have been ignored by whoever started us.
            for signal in IGNORABLE {
                libc::sigaddset(signals.as_mut_ptr(), signal);
            }
            check(libc::posix_spawnattr_setsigdefault(this.0.as_mut_ptr(), signals.as_ptr()))?;
        }
        Ok(this)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new_session`, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
    }
}
