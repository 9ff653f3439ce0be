import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Announce } from "@/components/ui/announce";

/** RouteAnnouncer reads out the title of a page that has opened, as a browser does for one it loads. */
export function RouteAnnouncer() {
  const { pathname } = useLocation();
  const [title, setTitle] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it answers to.
  useEffect(() => {
    // The page writes its title once its code is there.
    const timer = setTimeout(() => setTitle(document.title), 400);
    return () => clearTimeout(timer);
  }, [pathname]);
  return <Announce text={title} />;
}
