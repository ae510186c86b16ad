//! The functions of an MPI library, found when the program runs: of Open MPI, of MPICH and its kin (Intel MPI, Cray
//! MPICH, MVAPICH), and of the common binary interface of MPI 5. They differ in what a handle is.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

/// Room for a request's handle: a pointer or an int.
pub type Request = u64;

/// Room for what MPI says of a message; the largest has 32 bytes.
type Status = [u64; 16];

/// Calls are made by any thread, one at a time.
const THREAD_SERIALIZED: c_int = 2;

type Init = unsafe extern "C" fn(*mut c_int, *mut *mut *mut c_char, c_int, *mut c_int) -> c_int;
type Ask<H> = unsafe extern "C" fn(H, *mut c_int) -> c_int;
type Send<H> = unsafe extern "C" fn(*const c_void, c_int, H, c_int, c_int, H, *mut Request) -> c_int;
type Receive<H> = unsafe extern "C" fn(*mut c_void, c_int, H, c_int, c_int, H, *mut Request) -> c_int;
type Test = unsafe extern "C" fn(*mut Request, *mut c_int, *mut Status) -> c_int;
type Abort<H> = unsafe extern "C" fn(H, c_int) -> c_int;
type Finalize = unsafe extern "C" fn() -> c_int;

/// The functions with handles of one kind.
struct Functions<H> {
    world: H,
    byte: H,
    init: Init,
    rank: Ask<H>,
    size: Ask<H>,
    send: Send<H>,
    receive: Receive<H>,
    test: Test,
    abort: Abort<H>,
    finalize: Finalize,
}

enum Kind {
    /// Of Open MPI and of MPI 5.
    Pointers(Functions<*mut c_void>),
    /// Of MPICH and its kin.
    Ints(Functions<c_int>),
}

pub struct Library {
    kind: Kind,
    pub name: String,
}

// SAFETY: the pointers are handles of the library, the same for all threads; it is begun and called by one thread at a
// time, which whoever has the library sees to.
unsafe impl std::marker::Send for Library {}

/// Calls a function of either kind.
macro_rules! call {
    ($library:expr, $functions:ident => $call:expr) => {
        match &$library.kind {
            Kind::Pointers($functions) => $call,
            Kind::Ints($functions) => $call,
        }
    };
}

/// A library that was opened.
struct Opened(*mut c_void);

impl Opened {
    fn open(name: &str) -> Option<Opened> {
        let name = CString::new(name).ok()?;
        // SAFETY: the name ends with 0. What the library does when it is loaded is what every MPI program lets it do;
        // its symbols are global, since Open MPI's own parts look for them.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        (!handle.is_null()).then_some(Opened(handle))
    }

    fn find(&self, name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the library is open, and never closed; the name ends with 0.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        (!symbol.is_null()).then_some(symbol)
    }

    /// The functions, with handles whose values are given.
    fn functions<H: Copy>(&self, world: H, byte: H) -> Option<Functions<H>> {
        macro_rules! function {
            ($name:expr, $ty:ty) => {{
                let symbol = self.find($name)?;
                // SAFETY: the standard gives the function of this name this signature, with handles of the kind that
                // the library has.
                unsafe { std::mem::transmute::<*mut c_void, $ty>(symbol) }
            }};
        }
        Some(Functions {
            world,
            byte,
            init: function!(c"MPI_Init_thread", Init),
            rank: function!(c"MPI_Comm_rank", Ask<H>),
            size: function!(c"MPI_Comm_size", Ask<H>),
            send: function!(c"MPI_Isend", Send<H>),
            receive: function!(c"MPI_Irecv", Receive<H>),
            test: function!(c"MPI_Test", Test),
            abort: function!(c"MPI_Abort", Abort<H>),
            finalize: function!(c"MPI_Finalize", Finalize),
        })
    }
}

impl Library {
    /// Opens a library, whatever kind it is.
    pub fn open(name: &str) -> Option<Library> {
        let opened = Opened::open(name)?;
        let address = |number: usize| ptr::without_provenance_mut::<c_void>(number);
        let is_common = opened.find(c"MPI_Abi_get_version").is_some() && name.contains("abi");
        let kind = match (opened.find(c"ompi_mpi_comm_world"), opened.find(c"ompi_mpi_byte")) {
            (Some(world), Some(byte)) => Kind::Pointers(opened.functions(world, byte)?),
            _ if is_common => Kind::Pointers(opened.functions(address(0x101), address(0x247))?),
            _ => Kind::Ints(opened.functions(0x4400_0000, 0x4c00_010d)?),
        };
        Some(Library { kind, name: name.to_owned() })
    }

    /// Begins; gives the rank, the number of ranks, and whether any thread may call the other functions.
    pub fn begin(&self) -> Option<(usize, usize, bool)> {
        let (mut given, mut rank, mut size) = (0, 0, 0);
        // SAFETY: MPI is begun once for a process, here; arguments may be null; the numbers live until the calls
        // return.
        let done = unsafe {
            call!(self, mpi => {
                (mpi.init)(ptr::null_mut(), ptr::null_mut(), THREAD_SERIALIZED, &mut given) == 0
                    && (mpi.rank)(mpi.world, &mut rank) == 0
                    && (mpi.size)(mpi.world, &mut size) == 0
            })
        };
        let is_movable = given >= THREAD_SERIALIZED;
        done.then_some((usize::try_from(rank).ok()?, usize::try_from(size).ok()?, is_movable))
    }

    /// Begins to send bytes.
    ///
    /// # Safety
    /// The bytes must stay as and where they are until [`Library::is_done`] says so of the request.
    pub unsafe fn send(&self, bytes: &[u8], to: usize, tag: c_int) -> Option<Request> {
        let (count, to) = (c_int::try_from(bytes.len()).ok()?, c_int::try_from(to).ok()?);
        let mut request = 0;
        // SAFETY: the bytes stay, as the caller promises; the request is large enough for any handle.
        let code = unsafe {
            call!(self, mpi => (mpi.send)(bytes.as_ptr().cast(), count, mpi.byte, to, tag, mpi.world, &mut request))
        };
        (code == 0).then_some(request)
    }

    /// Begins to receive bytes.
    ///
    /// # Safety
    /// The bytes must stay where they are, and nobody may touch them, until [`Library::is_done`] says so of the
    /// request.
    pub unsafe fn receive(&self, bytes: &mut [u8], from: usize, tag: c_int) -> Option<Request> {
        let (count, from) = (c_int::try_from(bytes.len()).ok()?, c_int::try_from(from).ok()?);
        let mut request = 0;
        // SAFETY: the bytes stay, as the caller promises; the request is large enough for any handle.
        let code = unsafe {
            call!(self, mpi => {
                (mpi.receive)(bytes.as_mut_ptr().cast(), count, mpi.byte, from, tag, mpi.world, &mut request)
            })
        };
        (code == 0).then_some(request)
    }

    /// Whether a request is done; `None` if it has failed. One that was done is done.
    pub fn is_done(&self, request: &mut Request) -> Option<bool> {
        let (mut done, mut status): (c_int, Status) = (0, [0; 16]);
        // SAFETY: the request is one of this library, or was done and is null by now; the status is larger than any.
        let code = unsafe { call!(self, mpi => (mpi.test)(request, &mut done, &mut status)) };
        (code == 0).then_some(done != 0)
    }

    /// Ends well, together with all ranks.
    pub fn finalize(&self) {
        // SAFETY: MPI was begun, and nothing of it is used afterwards.
        unsafe { call!(self, mpi => (mpi.finalize)()) };
    }

    /// Ends all ranks.
    pub fn abort(&self) {
        // SAFETY: MPI was begun; the call does not return, or nothing of MPI is used afterwards.
        unsafe { call!(self, mpi => (mpi.abort)(mpi.world, 1)) };
    }
}
