//! Formats whose readers want a file on disk: images, packed files, and what was learnt.

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use nnc::base::Span;
use nnc::runtime::notices::Notices;
use nnc::runtime::sources::images::{Images, Size};
use nnc::runtime::sources::text::Text;
use nnc::{NativeWorld, Session, Silent, World};

use super::files::Format;

/// A program whose state is kept, with everything that may stand in a checkpoint: states of an optimiser, patience,
/// random numbers, a schedule.
const PROGRAM: &str = "
model Net(x: [B, 2]) -> [B, 1] { x |> Linear(3) |> tanh |> Dropout(0.2) |> Linear(1) }
data d {
    rows = 12
    x: [2] = normal(0, 1)
    y: [1] = x[:1]
    split train = 0.5, test = 0.5
}
train {
    data     = d.train
    validate = d.test
    minimize mse(Net(x), y) with Adam(lr = cosine(0.01, total = 9))
    batch    = 4
    epochs   = 3
    stop     = patience(2)
}
";

pub fn formats() -> Vec<Format> {
    vec![
        Format { name: "png", seeds: png_seeds(), read: |bytes| in_file("a.png", bytes, image) },
        Format { name: "jpg", seeds: vec![jpeg()], read: |bytes| in_file("a.jpg", bytes, image) },
        Format { name: "gz", seeds: vec![gzipped()], read: |bytes| in_file("a.gz", bytes, text) },
        Format {
            name: "checkpoint",
            seeds: vec![checkpoint()],
            read: |bytes| in_file("a.safetensors", bytes, resumed),
        },
    ]
}

/// A folder for one thread of one process, where a file is put in the place of the one before: in memory, where the
/// computer has such a folder.
fn folder() -> PathBuf {
    let thread: String =
        format!("{:?}", std::thread::current().id()).chars().filter(char::is_ascii_digit).collect();
    let in_memory = Path::new("/dev/shm");
    let parent = if in_memory.is_dir() { in_memory.to_owned() } else { std::env::temp_dir() };
    parent.join(format!("nnc_generated_{}_{thread}", std::process::id()))
}

fn in_file(name: &str, bytes: Vec<u8>, read: fn(&Path) -> bool) -> bool {
    let folder = folder();
    let path = folder.join(name);
    std::fs::create_dir_all(&folder).expect("there is room for temporary files");
    std::fs::write(&path, bytes).expect("there is room for temporary files");
    let result = read(&path);
    // What is left behind in the folder of temporary files harms nobody.
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn image(path: &Path) -> bool {
    let Some(folder) = path.parent() else { return false };
    let world: Arc<dyn World> = Arc::new(NativeWorld);
    let Ok(images) = Images::open(&world, folder, false, &Notices::default(), Span::default()) else {
        return false;
    };
    let sizes = [(1, 2, 3), (3, 8, 8), (4, 1, 1), (0, 2, 3)];
    let read = sizes.map(|(channels, height, width)| {
        let mut out = vec![0; channels * height * width];
        images.read(&[0], Size { channels, height, width, fit: None }, &mut out).is_ok()
    });
    read.contains(&true)
}

fn text(path: &Path) -> bool {
    Text::open(&NativeWorld, path).is_ok()
}

fn session() -> Session {
    let program = nnc::compile(PROGRAM).expect("the program is right");
    program.session().expect("the program is right")
}

thread_local! {
    /// What a file that is refused has left as it was may be used again.
    static UNTRAINED: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// A training that goes on from the file, if that can be.
fn resumed(path: &Path) -> bool {
    let mut it = UNTRAINED.take().unwrap_or_else(session);
    if it.resume(path).is_ok() {
        return it.train(&mut Silent).is_ok();
    }
    UNTRAINED.set(Some(it));
    false
}

fn checkpoint() -> Vec<u8> {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let made = || {
        let mut session = session();
        session.train(&mut Silent).expect("it is trained");
        let path = std::env::temp_dir().join(format!("nnc_generated_{}.safetensors", std::process::id()));
        session.save(&path).expect("there is room for temporary files");
        let bytes = std::fs::read(&path).expect("it was written");
        let _ = std::fs::remove_file(&path);
        bytes
    };
    FILE.get_or_init(made).clone()
}

fn gzipped() -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(b"to be or not to be").expect("memory can be written");
    packer.finish().expect("memory can be written")
}

/// Three by two pixels: grey, with 16 bits, with colours and opacity, with a palette.
fn png_seeds() -> Vec<Vec<u8>> {
    [(8u8, 0u8, 3usize), (16, 0, 6), (8, 6, 12), (2, 3, 1)]
        .map(|(bits, colour, row)| {
            let mut header = [3u32.to_be_bytes(), 2u32.to_be_bytes()].concat();
            header.extend([bits, colour, 0, 0, 0]);
            let pixels: Vec<u8> = (0..2).flat_map(|_| [&[0][..], &vec![9; row]].concat()).collect();
            let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(&pixels).expect("memory can be written");
            let packed = packer.finish().expect("memory can be written");
            let palette = if colour == 3 { chunk(b"PLTE", &[1, 2, 3, 4, 5, 6, 7, 8, 9]) } else { Vec::new() };
            let parts =
                [chunk(b"IHDR", &header), palette, chunk(b"IDAT", &packed), chunk(b"IEND", &[])].concat();
            [b"\x89PNG\r\n\x1a\n".to_vec(), parts].concat()
        })
        .to_vec()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [name, data].concat();
    let mut checksum = flate2::Crc::new();
    checksum.update(&named);
    [&(data.len() as u32).to_be_bytes()[..], &named, &checksum.sum().to_be_bytes()].concat()
}

/// Eight by eight pixels of one grey.
fn jpeg() -> Vec<u8> {
    let tables = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
    let huffman = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1][..], &[0; 15], &[0]].concat();
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9];
    [&[0xff, 0xd8][..], &tables, &frame, &huffman(0), &huffman(0x10), &scan].concat()
}
