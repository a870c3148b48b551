// The React client: a component in the DOM that shows who is signed in.

import { become, page } from "./dom.mjs";
import assert from "node:assert/strict";
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { createAuthClient } from "better-auth/react";
import { eventually, must, mustFail, newUser, open, signIn } from "./scene.mjs";

// mount renders a component that uses the session of a client.
function mount({ client }) {
  const shown = { renders: 0 };
  const Who = () => {
    const { data, isPending, isRefetching, error, refetch } = client.useSession();
    Object.assign(shown, { data, isPending, isRefetching, error, refetch, renders: shown.renders + 1 });
    if (isPending) return createElement("p", { className: "pending" }, "…");
    if (!data) return createElement("button", { onClick: () => shown.onClick?.() }, "Sign in");
    return createElement("p", { className: "user" }, `${data.user.name} since ${data.session.createdAt.getFullYear()}`);
  };
  const container = page.document.body.appendChild(page.document.createElement("div"));
  const root = createRoot(container);
  root.render(createElement(StrictMode, null, createElement(Who)));
  return {
    shown,
    container,
    Who,
    unmount: () => root.unmount(),
    shows: (text) => eventually(`"${text}" on the page, which has ${container.innerHTML}`, () => container.textContent === text),
  };
}

const reading = "GET /api/auth/get-session";
const year = new Date().getFullYear();

export const steps = [
  ["pending, then nobody", async (scene) => {
    scene.home = open(scene, { create: createAuthClient });
    scene.view = mount(scene.home);
    await eventually("the first rendering", () => scene.view.container.querySelector("p.pending") !== null);
    await scene.view.shows("Sign in");
    assert.equal(scene.view.shown.error, null);
    assert.equal(scene.home.browser.count(reading), 1, "a strict mode that mounts twice asks once");
  }],

  ["signing up", async (scene) => {
    Object.assign(scene, await newUser(scene.home));
    await scene.view.shows(`Grace Hopper since ${year}`);
    assert.ok(scene.view.shown.data.user.createdAt instanceof Date);
  }],

  ["updating the user", async (scene) => {
    await must(scene.home.client.updateUser({ name: "Amazing Grace" }));
    await scene.view.shows(`Amazing Grace since ${year}`);
  }],

  ["updating the session", async (scene) => {
    await must(scene.home.client.updateSession({ place: "Oslo" }));
    await eventually("the session's place", () => scene.view.shown.data.session.place === "Oslo");
  }],

  ["refetch", async (scene) => {
    await must(scene.home.client.updateUser({ name: "Grace" }, { disableSignal: true }));
    assert.equal(scene.view.container.textContent, `Amazing Grace since ${year}`);
    await scene.view.shown.refetch();
    await scene.view.shows(`Grace since ${year}`);
  }],

  ["the focus of the window", async (scene) => {
    await must(scene.home.client.updateUser({ name: "Grace H." }, { disableSignal: true }));
    become("visible");
    await scene.view.shows(`Grace H. since ${year}`);
  }],

  ["a second component shares the session", async (scene) => {
    const before = scene.home.browser.count(reading);
    const second = mount(scene.home);
    await second.shows(`Grace H. since ${year}`);
    await must(scene.home.client.updateUser({ name: "Both" }));
    await second.shows(`Both since ${year}`);
    await scene.view.shows(`Both since ${year}`);
    assert.equal(scene.home.browser.count(reading), before + 1);
    second.unmount();
    assert.equal(second.container.innerHTML, "");
  }],

  ["a failure does not change the page", async (scene) => {
    const { renders } = scene.view.shown;
    await mustFail(scene.home.client.signIn.email({ email: scene.email, password: "wrong password" }),
      401, "INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(scene.view.shown.renders, renders);
  }],

  ["signing out", async (scene) => {
    await must(scene.home.client.signOut());
    await scene.view.shows("Sign in");
    assert.equal(scene.view.shown.data, null);
  }],

  ["signing in with a button", async (scene) => {
    scene.view.shown.onClick = () => signIn(scene, scene.home);
    scene.view.container.querySelector("button").click();
    await scene.view.shows(`Both since ${year}`);
  }],

  ["rendering on a server", async (scene) => {
    const { client } = open(scene, { create: createAuthClient });
    const Greeting = () => createElement("p", null, client.useSession().data?.user.name ?? "nobody");
    assert.equal(renderToString(createElement(Greeting)), "<p>nobody</p>");
  }],

  ["the session that a page was rendered with", async (scene) => {
    const rendered = await must(scene.home.client.getSession());
    const tab = open(scene, { create: createAuthClient, browser: scene.home.browser });
    tab.client.hydrateSession(rendered);
    const view = mount(tab);
    await view.shows(`Both since ${year}`);
    assert.equal(view.container.querySelector("p.pending"), null);
    view.unmount();
  }],

  ["deleting the user", async (scene) => {
    await must(scene.home.client.deleteUser());
    await scene.view.shows("Sign in");
    scene.view.unmount();
    assert.equal(scene.view.container.innerHTML, "");
  }],
];
