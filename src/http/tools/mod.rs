//! For admins: the tools of the site, those that they write, and operations of a document.

pub mod import;
pub mod list;
pub mod write;
