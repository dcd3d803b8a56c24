//! A child that shares our memory until its exec, while the thread that started it stands still.
//!
//! It is what `posix_spawn` does, with less around it: the stack is kept for the next child instead of being mapped and unmapped,
//! and no signal is asked for what it does at present. On a machine where a change of the page tables is dear these are a
//! fortieth of a small step (docs/design/spawn.md). Knows system calls; not what is started.
#![allow(unsafe_code, reason = "a child that shares our memory has no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use libc::{c_int, c_void, sigset_t};
use rustix::process::{Pid, WaitOptions};

use crate::spawn::Child;

/// Signals that may have a handler of ours, which must not run in our memory on the child's account, or be ignored by whoever
/// started us. All that are not of the real-time kind.
const SIGNALS: std::ops::RangeInclusive<c_int> = 1..=31;

/// Starts the child; returns when it has its program.
pub(in crate::spawn) fn start(child: &Child<'_>) -> io::Result<i32> {
    let stack = Stack::take()?;
    let birth = Birth { child, error: AtomicI32::new(0) };
    let argument = (&raw const birth).cast_mut().cast::<c_void>();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let blocked = BlockedSignals::all()?;
    // SAFETY: the child has a stack of its own and calls nothing but `live`. It uses our memory only while this thread stands
    // still (CLONE_VFORK), so all that `birth` points to lives as long as it is needed.
    let pid = unsafe { libc::clone(live, stack.top(), flags, argument) };
    let refused = io::Error::last_os_error();
    drop(blocked);
    stack.give_back();
    if pid < 0 {
        return Err(refused);
    }
    match birth.error.load(Ordering::Relaxed) {
        0 => Ok(pid),
        error => {
            // Nobody knows of it: it is collected here, if not by whoever collects orphans.
            let _ = Pid::from_raw(pid).map(|pid| rustix::process::waitpid(Some(pid), WaitOptions::empty()));
            Err(io::Error::from_raw_os_error(error))
        }
    }
}

/// What a child gets to know, and what it answers if it does not become what it should.
struct Birth<'a> {
    child: &'a Child<'a>,
    error: AtomicI32,
}

/// The whole life of the child before its exec. It may do nothing but make system calls: another thread of ours may hold any lock.
extern "C" fn live(birth: *mut c_void) -> c_int {
    // SAFETY: `start` passes a `Birth` that outlives the child's time in our memory.
    let birth = unsafe { &*birth.cast::<Birth<'_>>() };
    let Err(error) = become_program(birth.child);
    birth.error.store(error.raw_os_error().unwrap_or(libc::EINVAL), Ordering::Relaxed);
    127
}

fn become_program(child: &Child<'_>) -> io::Result<std::convert::Infallible> {
    // SAFETY: numbers, and texts that end with a NUL or lists that end with a null pointer, as `Child` says.
    unsafe {
        for signal in SIGNALS {
            // Two of them cannot be caught, and that is as good.
            libc::signal(signal, libc::SIG_DFL);
        }
        check(libc::setsid())?;
        let (input, output) = (child.input.as_raw_fd(), child.output.as_raw_fd());
        check(libc::dup2(input, 0))?;
        check(libc::dup2(output, 1))?;
        check(libc::dup2(output, 2))?;
        check(libc::chdir(child.directory.as_ptr()))?;
        let mut none = MaybeUninit::uninit();
        check(libc::sigemptyset(none.as_mut_ptr()))?;
        check(libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut()))?;
        libc::execve(child.program.as_ptr(), child.arguments.as_ptr(), child.environment.as_ptr());
    }
    Err(io::Error::last_os_error())
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// No signal reaches this thread while it lives, nor the child until it is ready for them.
struct BlockedSignals {
    before: sigset_t,
}

impl BlockedSignals {
    fn all() -> io::Result<Self> {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: both sets are written by the calls before they are read.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            match libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) {
                0 => Ok(Self { before: before.assume_init() }),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set was written by the call in `all`.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}

/// What a child stands on until its exec, some system calls deep, and whatever somebody puts in their place by `LD_PRELOAD`. Whoever
/// needs more meets pages that nobody may touch. Never given back to the system.
struct Stack(*mut c_void);

// SAFETY: the memory belongs to whoever has the value.
unsafe impl Send for Stack {}

const STACK_BYTES: usize = 64 << 10;
/// No page is larger.
const GUARD_BYTES: usize = 64 << 10;

/// As many as there were starts at once.
static IDLE: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

impl Stack {
    fn take() -> io::Result<Self> {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(Self::new, Ok)
    }

    fn new() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory, of which the part below the stack is then made inaccessible.
        unsafe {
            let base = libc::mmap(ptr::null_mut(), GUARD_BYTES + STACK_BYTES, access, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            check(libc::mprotect(base, GUARD_BYTES, libc::PROT_NONE))?;
            Ok(Self(base))
        }
    }

    fn give_back(self) {
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(self);
    }

    /// Stacks grow downwards.
    fn top(&self) -> *mut c_void {
        self.0.wrapping_byte_add(GUARD_BYTES + STACK_BYTES)
    }
}
