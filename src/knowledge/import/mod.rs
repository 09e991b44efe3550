//! Reads a folder of files into documents, for `rushdesk knowledge import` and the demo shop.
//!
//! Reads `.md`, `.txt`, `.html`, `.csv` and `.json`. A file's path below the folder, without its
//! extension, gives its external id. Symbolic links and hidden files are skipped. What is not read
//! is named: nothing is lost, overwritten or made public silently. Reading blocks, so do not call
//! it on async threads.

mod fault;
mod file;
mod folder;
mod name;
mod text;

pub use fault::{Fault, Reason};
pub use file::read_file;
pub use folder::{Bounds, Folder, read_folder};
