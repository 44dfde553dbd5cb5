//! Services as all roles use them.

use crate::payload::Task;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::prelude::*;
use serde_json::json;

pub type Anything<T> = Result<T, Box<dyn core::error::Error>>;
pub type Node = iceoryx2::node::Node<ipc::Service>;
pub type Frames = iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, [u8], ()>;

pub fn say_ready() {
    println!("{}", json!({ "ready": true }));
}

/// A node whose files are the task's own, so that none is left behind whatever happens.
pub fn node(task: &Task) -> Anything<Node> {
    let mut config = Config::default();
    config.global.prefix = FileName::new(task.channel.as_bytes())?;
    config.global.set_root_path(&Path::new(task.folder.as_bytes())?);
    let builder = NodeBuilder::new().config(&config).signal_handling_mode(SignalHandlingMode::Disabled);
    Ok(builder.create::<ipc::Service>()?)
}

pub fn frames(node: &Node, task: &Task, name: &str) -> Anything<Frames> {
    let name = format!("frames{name}");
    let service = node.service_builder(&name.as_str().try_into()?).publish_subscribe::<[u8]>();
    let service = service.enable_safe_overflow(false).subscriber_max_buffer_size(task.depth);
    Ok(service.subscriber_max_borrowed_samples(2).open_or_create()?)
}

/// Waits inside send() while the subscriber's buffer is full.
pub fn publisher(frames: &Frames, task: &Task) -> Anything<Publisher<ipc::Service, [u8], ()>> {
    let builder = frames.publisher_builder().initial_max_slice_len(task.frame_bytes);
    Ok(builder.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create()?)
}
