import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { textOf } from "@/url/search";
import { rootRoute } from "./root";

/** Where to go after signing in. */
interface Next {
  next?: string;
}

const next = (search: Record<string, unknown>): Next => ({ next: textOf(search, "next") });

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "sign-in",
  validateSearch: next,
  component: lazyRouteComponent(() => import("./sign-in.page"), "SignInPage"),
});

export const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "sign-up",
  validateSearch: next,
  component: lazyRouteComponent(() => import("./sign-up.page"), "SignUpPage"),
});

export const checkMailRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "check-mail",
  validateSearch: (search): { email?: string } => ({ email: textOf(search, "email") }),
  component: lazyRouteComponent(() => import("./check-mail.page"), "CheckMailPage"),
});

export const verifyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "verify",
  validateSearch: (search): { token?: string } => ({ token: textOf(search, "token") }),
  component: lazyRouteComponent(() => import("./verify.page"), "VerifyPage"),
});
