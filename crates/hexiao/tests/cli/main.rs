//! The binary as its users meet it: commands on real databases in temporary folders, real servers on
//! loopback, real files.

mod backup;
mod client;
mod demo;
mod import;
mod keys;
mod kill;
mod manual;
mod replay;
mod support;
mod verify;
