// The address bar as React state: all of a router that these pages need.

import { type MouseEvent, type ReactNode, useSyncExternalStore } from "react";

const moved = "moved";

function subscribe(notify: () => void) {
  addEventListener("popstate", notify);
  addEventListener(moved, notify);
  return () => {
    removeEventListener("popstate", notify);
    removeEventListener(moved, notify);
  };
}

export const useHref = () => useSyncExternalStore(subscribe, () => location.pathname + location.search);

export function navigate(href: string) {
  history.pushState(null, "", href);
  dispatchEvent(new Event(moved));
}

export function replace(href: string) {
  history.replaceState(null, "", href);
  dispatchEvent(new Event(moved));
}

export function Link({ href, className, children }: { href: string; className?: string; children: ReactNode }) {
  const follow = (event: MouseEvent) => {
    event.preventDefault();
    navigate(href);
  };
  return (
    <a href={href} className={className} onClick={follow}>
      {children}
    </a>
  );
}
