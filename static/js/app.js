// The script of all pages, which also work without it. All texts come from data
// attributes of the page and are set as text, never as HTML.

// The locale in which the server writes times, and its word for now.
const { locale, now } = document.documentElement.dataset;

const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

// showPassword switches a password field between dots and text. It goes back to
// dots when the form is sent, so that password managers recognise it.
function showPassword(button) {
	const field = document.getElementById(button.getAttribute("aria-controls"));
	const { show, hide, showLabel, hideLabel, shown, hidden } = button.dataset;
	const set = (visible) => {
		field.type = visible ? "text" : "password";
		button.textContent = visible ? hide : show;
		button.ariaLabel = visible ? hideLabel : showLabel;
	};
	button.addEventListener("click", () => {
		const visible = field.type === "password";
		set(visible);
		button.nextElementSibling.textContent = visible ? shown : hidden;
	});
	field.form.addEventListener("submit", () => set(false));
}

// switchTheme sets the theme without reloading the page: forms keep their input.
function switchTheme(form) {
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		const theme = event.submitter.value;
		document.documentElement.dataset.theme = theme;
		each("meta[name=theme-color]", (meta) => { meta.content = getComputedStyle(document.body).backgroundColor; });
		form.querySelector(`button:not([value=${theme}])`).focus();
		fetch(form.action, { method: "POST", body: new URLSearchParams({ theme }), redirect: "manual", keepalive: true });
	});
}

// The original content of buttons whose form is being sent.
const idle = new Map();

// submitOnce keeps a form from being sent twice. The button stays focusable and
// shows that the form is being sent.
function submitOnce(form) {
	form.addEventListener("submit", (event) => {
		if ("sent" in form.dataset) {
			event.preventDefault();
			return;
		}
		form.dataset.sent = "";
		const button = event.submitter;
		button?.setAttribute("aria-disabled", "true");
		if (button?.dataset.busy) {
			idle.set(button, [...button.childNodes]);
			button.replaceChildren(button.dataset.busy);
		}
		// If the page is still here, the person pressed Stop or the network failed.
		setTimeout(ready, 10_000, form);
	});
}

// ready undoes submitOnce.
function ready(form) {
	delete form.dataset.sent;
	for (const button of form.querySelectorAll("[aria-disabled]")) {
		button.removeAttribute("aria-disabled");
		if (idle.has(button)) {
			button.replaceChildren(...idle.get(button));
			idle.delete(button);
		}
	}
}

const day = { day: "numeric", month: "short", year: "numeric" };
const clock = { hour: "2-digit", minute: "2-digit" };

// relativeTime writes "3 hours ago", or the date of a time more than 60 days
// away, and puts the full time into the title.
function relativeTime(element) {
	const when = new Date(element.dateTime);
	const seconds = (when - Date.now()) / 1000;
	const [unit, size] = [["day", 86400], ["hour", 3600]].find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", 60];
	const amount = Math.round(seconds / size);

	element.title = when.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" });
	if (Math.abs(seconds) > 60 * 86400) {
		element.textContent = when.toLocaleDateString(locale, day);
	} else {
		element.textContent = amount ? new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(amount, unit) : now;
	}
}

// localTime returns a function that writes a time in the zone of the device.
const localTime = (format) => (element) => {
	element.title ||= element.textContent;
	element.textContent = new Date(element.dateTime).toLocaleString(locale, format);
};

// localDays regroups the lines of a log by day in the device's time zone.
function localDays(log) {
	const [heading, list] = log.children;
	const lines = log.querySelectorAll("ul > li");
	log.replaceChildren();
	for (const line of lines) {
		const text = new Date(line.querySelector("time").dateTime).toLocaleDateString(locale, { ...day, weekday: "long", month: "long" });
		if (log.lastChild?.dataset.day !== text) {
			const [title, under] = [heading.cloneNode(), list.cloneNode()];
			title.textContent = under.dataset.day = text;
			title.id += "-" + log.childElementCount;
			under.setAttribute("aria-labelledby", title.id);
			log.append(title, under);
		}
		log.lastChild.append(line);
	}
}

// viewerZone puts the device's time zone into a hidden field, and into the
// parentheses in the hints of the day fields.
function viewerZone(field) {
	const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
	if (timeZone) {
		field.value = timeZone;
		for (const id of field.dataset.zone.split(" ")) {
			const hint = document.getElementById(id);
			hint.textContent = hint.textContent.replace(/\(.*\)/, `(${timeZone})`);
		}
	}
}

// confirmInDialog opens a confirmation in a dialog instead of on its own page. The
// focus starts on Cancel, or on the heading if focusing Cancel would scroll it out
// of view, and returns to the link afterwards.
function confirmInDialog(link) {
	const dialog = document.getElementById(link.dataset.dialog);
	const cancel = dialog?.querySelector("[data-close]");
	if (!cancel) {
		return;
	}
	link.addEventListener("click", (event) => {
		if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
			event.preventDefault();
			dialog.showModal();
			const long = dialog.scrollHeight > dialog.clientHeight;
			(long ? dialog.querySelector("h2") : cancel).focus();
		}
	});
	cancel.addEventListener("click", () => dialog.close());
}

// copyValue copies the text of an element, or the value of a data element. The
// button's label changes briefly, and a hidden status line tells screen readers.
function copyValue(button) {
	const label = button.querySelector("span");
	const status = button.nextElementSibling;
	const before = label.textContent;
	let timer;

	button.addEventListener("click", async () => {
		const source = document.getElementById(button.dataset.copy);
		try {
			await navigator.clipboard.writeText(source.value ?? source.textContent);
		} catch {
			// No permission, or no secure context: select the text for the person.
			getSelection().selectAllChildren(source);
			return;
		}
		label.textContent = button.dataset.copied;
		status.textContent = button.dataset.status;
		clearTimeout(timer);
		timer = setTimeout(() => {
			label.textContent = before;
			status.textContent = "";
		}, 4000);
	});
}

// holdBack disables a "Try again" link until its time.
function holdBack(link) {
	const wait = new Date(link.dataset.notBefore) - Date.now();
	if (wait > 0) {
		const stop = (event) => event.preventDefault();
		link.ariaDisabled = "true";
		link.addEventListener("click", stop);
		setTimeout(() => {
			link.ariaDisabled = null;
			link.removeEventListener("click", stop);
		}, wait);
	}
}

// slashSearch makes the key / move the focus to a search field while a checkbox is
// checked. The browser remembers the checkbox (WCAG 2.2, 2.1.4: a shortcut of one
// character can be turned off).
function slashSearch(box) {
	const field = document.getElementById(box.dataset.slash);
	const tell = () => { field.ariaKeyShortcuts = box.checked ? "/" : null; };
	box.checked = localStorage.getItem("slash") !== "off";
	tell();
	box.addEventListener("change", () => {
		localStorage.setItem("slash", box.checked ? "on" : "off");
		tell();
	});
	addEventListener("keydown", (event) => {
		const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
		if (event.key === "/" && box.checked && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
			event.preventDefault();
			field.select();
			field.focus();
		}
	});
}

// post sends JSON and returns the answer. It throws the server's problem, or one with
// the name "network".
async function post(url, body = {}) {
	const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
	const answer = await fetch(url, request).catch(() => ({}));
	const data = await answer.json?.().catch(() => null);
	if (answer.ok && data) {
		return data;
	}
	throw data ?? { name: "network" };
}

// The request for a passkey that is waiting for the person.
let waiting;

// passkey makes a button use or create a passkey. On the sign-in page the browser also
// offers passkeys in its own list. What fails there is told only after the person has
// picked one.
function passkey(box) {
	const { passkey: act, options, finish, next, listed, closed, absent, unsupported, network } = box.dataset;
	const [button, problem] = box.children;
	const api = globalThis.PublicKeyCredential;
	let timer;

	const ask = async (mediation) => {
		clearTimeout(timer);
		waiting?.abort();
		const { signal } = waiting = new AbortController();
		let asked = !mediation;
		problem.hidden ||= asked;
		try {
			const { publicKey } = await post(options);
			const parsed = act === "get" ? api.parseRequestOptionsFromJSON(publicKey) : api.parseCreationOptionsFromJSON(publicKey);
			const credential = await navigator.credentials[act]({ publicKey: parsed, signal, mediation });
			asked = true;
			const done = await post(finish, { credential, next }).catch((refusal) => {
				if (refusal.unknown) {
					api.signalUnknownCredential?.({ rpId: publicKey.rpId, credentialId: credential.id }).catch(() => {});
				}
				throw refusal;
			});
			location.assign(done.next);
		} catch ({ name, detail, next }) {
			if (next) {
				location.assign(next);
			} else if (asked && !signal.aborted) {
				problem.textContent = detail ?? { NotAllowedError: closed, InvalidStateError: absent, network }[name] ?? unsupported;
				problem.className = "error";
				problem.hidden = false;
				list();
			}
		}
	};
	const list = async () => {
		if (listed !== undefined && await api?.isConditionalMediationAvailable?.()) {
			ask("conditional");
			timer = setTimeout(list, 240_000); // a challenge is good for five minutes
		}
	};
	button.addEventListener("click", () => ask());
	list();
}

// signalPasskeys tells password managers which passkeys are in use.
function signalPasskeys({ dataset }) {
	for (const name of ["signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
		globalThis.PublicKeyCredential?.[name]?.(JSON.parse(dataset.signal)).catch(() => {});
	}
}

each("[data-show-password]", showPassword);
each("[data-stay]", switchTheme);
each("form[data-once]", submitOnce);
each("time[data-relative]", relativeTime);
each("time[data-local]", localTime({ ...day, ...clock, timeZoneName: "short" }));
each("time[data-clock]", localTime(clock));
each("time[data-clock=second]", localTime({ ...clock, second: "2-digit" }));
each("[data-days]", localDays);
each("[data-zone]", viewerZone);
each("a[data-dialog]", confirmInDialog);
each("[data-copy]", copyValue);
each("[data-print]", (button) => button.addEventListener("click", () => print()));
each("[data-not-before]", holdBack);
each("[data-passkey]", passkey);
each("[data-signal]", signalPasskeys);
addEventListener("pagehide", () => each("[data-shown-once]", (secret) => secret.replaceChildren()));
addEventListener("pageshow", (event) => {
	// The Back button restored the page from the browser's memory.
	if (event.persisted) {
		each("form[data-once]", ready);
		each("[data-shown-once]", () => location.reload());
	}
});

// Screen readers begin with the message or the error.
document.querySelector("[data-focus]")?.focus();

// Last, because it throws if the browser blocks storage.
each("[data-slash]", slashSearch);
