//! What goes wrong with whole machines: nodes and the database die, nodes are cut off, time leaps.

use std::{rc::Rc, time::Duration};

use crate::simulation::Simulation;

/// Strikes now and then, until aborted.
pub(crate) async fn strike(simulation: Rc<Simulation>) {
    let environment = &simulation.environment;
    let faults = environment.profile.faults;
    let weights = [faults.kill, faults.crash, faults.cut_off, faults.leap];
    let total: u32 = weights.iter().sum();
    if total == 0 {
        return;
    }
    loop {
        environment.wait_up_to(200).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut drawn = environment.random().below(u64::from(total));
        for (weight, strike) in weights.into_iter().zip([kill, crash, cut_off, leap]) {
            if drawn < u64::from(weight) {
                strike(&simulation);
                break;
            }
            drawn -= u64::from(weight);
        }
    }
}

fn any_node(simulation: &Simulation) -> usize {
    simulation.environment.random().index(simulation.nodes.len())
}

fn kill(simulation: &Rc<Simulation>) {
    let number = any_node(simulation);
    simulation.environment.fault("a node is killed", i64::try_from(number).unwrap_or(0));
    start_again(simulation, number);
    crash_soon(simulation);
}

/// Trouble comes in pairs: what the first one left half done, the second one meets.
fn crash_soon(simulation: &Rc<Simulation>) {
    let environment = &simulation.environment;
    if environment.profile.faults.crash == 0 || !environment.random().chance(300) {
        return;
    }
    let simulation = Rc::clone(simulation);
    tokio::task::spawn_local(async move {
        simulation.environment.wait_up_to(60).await;
        if !simulation.environment.is_calm() {
            crash(&simulation);
        }
    });
}

fn start_again(simulation: &Rc<Simulation>, number: usize) {
    let node = Rc::clone(&simulation.nodes[number]);
    if node.engine().is_none() {
        return;
    }
    node.kill();
    let environment = std::sync::Arc::clone(&simulation.environment);
    tokio::task::spawn_local(async move {
        environment.wait_up_to(100).await;
        node.start().await;
    });
}

/// An embedded database falls with its node.
fn crash(simulation: &Rc<Simulation>) {
    let is_embedded = simulation.environment.profile.database == crate::profile::Database::Embedded;
    if is_embedded {
        if simulation.nodes[0].engine().is_none() {
            return;
        }
        simulation.nodes[0].kill();
        simulation.database.crash();
        let node = Rc::clone(&simulation.nodes[0]);
        tokio::task::spawn_local(async move { node.start().await });
        return;
    }
    simulation.database.crash();
    simulation.database.set_up(false);
    let (environment, database) =
        (std::sync::Arc::clone(&simulation.environment), std::sync::Arc::clone(&simulation.database));
    tokio::task::spawn_local(async move {
        environment.wait_up_to(400).await;
        database.set_up(true);
    });
}

fn cut_off(simulation: &Rc<Simulation>) {
    let number = any_node(simulation);
    simulation.environment.fault("a node is cut off", i64::try_from(number).unwrap_or(0));
    let node = Rc::clone(&simulation.nodes[number]);
    *node.is_cut_off.borrow_mut() = true;
    let environment = std::sync::Arc::clone(&simulation.environment);
    tokio::task::spawn_local(async move {
        environment.wait_up_to(300).await;
        *node.is_cut_off.borrow_mut() = false;
    });
}

fn leap(simulation: &Rc<Simulation>) {
    let seconds = simulation.environment.random().pick(&[60, 600, 1_000, 4_000, 40_000, 90_000, 2_764_800]);
    simulation.environment.fault("time leaps", seconds);
    simulation.environment.leap(seconds);
}

/// Ends what would go on by itself.
pub(crate) fn mend(simulation: &Simulation) {
    simulation.database.set_up(true);
    for node in &simulation.nodes {
        *node.is_cut_off.borrow_mut() = false;
    }
}
