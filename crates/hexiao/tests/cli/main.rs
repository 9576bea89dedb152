//! The binary as its users meet it: commands on real databases in temporary folders, real servers on
//! loopback, real files.

mod backup;
mod client;
mod code_sender;
mod cut;
mod demo;
mod drain;
mod import;
mod keys;
mod kill;
mod manual;
mod nodes;
mod power_loss;
mod relocate;
mod replay;
mod settle;
mod support;
mod verify;
