//! For admins: versions of the assistants of their site, written, checked, activated, rolled back.

pub mod check;
pub mod conversations;
pub mod versions;
