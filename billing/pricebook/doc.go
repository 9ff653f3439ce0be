// Package pricebook reads what things cost, and by which card an organization
// pays when.
//
// The price book is data: rows of numbered versions that are never changed
// (migration 00051). A subscription pins the version that it began with, so new
// prices reach an organization only when its subscription changes. The history
// of subscriptions is written by a trigger on organization.plan.
//
// The package writes nothing and computes no amounts: that is billing/rating.
package pricebook
