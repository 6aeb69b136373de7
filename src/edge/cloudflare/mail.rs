//! Sends letters once the answer is on its way.

use std::rc::Rc;

use worker::{Env, SendEmailBuilder};

use super::{
    entry::{Bindings, Settings},
    small::Console,
};
use crate::{
    edge::{NotSent, send_by_api},
    platform::{Config, Event, Events, Letter, MailSender, MailSettings},
};

/// The binding's name.
pub(super) const BINDING: &str = "EMAIL";

/// Sends each letter; one that cannot be sent is an event and holds back no other.
pub(super) async fn send_all(env: Env, settings: Rc<Settings>, letters: Vec<Letter>) {
    let Ok(config) = &*settings else { return };
    for letter in &letters {
        let sent = match &config.mail {
            Some(mail) => send(&env, config, mail, letter).await,
            None => Err(NotSent),
        };
        if sent.is_err() {
            Console.emit(Event::Fault { place: "mail", kind: "not_sent" });
        }
    }
}

async fn send(env: &Env, config: &Config, mail: &MailSettings, letter: &Letter) -> Result<(), NotSent> {
    match &mail.sender {
        MailSender::Binding => {
            let sender = env.send_email(BINDING).map_err(|_| NotSent)?;
            let message =
                SendEmailBuilder::builder(&mail.from, &letter.to, &letter.subject).text(&letter.text).build();
            sender.send_with_builder(&message).await.map(drop).map_err(|_| NotSent)
        }
        MailSender::Api { url, key } => {
            let bindings = Bindings::of(env, config).map_err(|_| NotSent)?;
            send_by_api(&bindings.web(), config, (url, key), &mail.from, letter).await
        }
    }
}
