package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

func (a *app) invoiceCommand() *cobra.Command {
	return group("invoice", "What it costs", a.invoicePreviewCommand())
}

func (a *app) invoicePreviewCommand() *cobra.Command {
	req := &usagev1.PreviewInvoiceRequest{}
	c := a.command("preview", "Rate a month as its invoice will be", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Usage.PreviewInvoice(ctx, req)
		if err != nil {
			return err
		}
		return a.print(a.invoiceView(res))
	})
	c.Flags().StringVar(&req.Month, "month", "", "the `MONTH`, as 2026-11, in UTC (default this one)")
	return c
}

func (a *app) invoiceView(res *usagev1.PreviewInvoiceResponse) output.View {
	sheet := &output.Sheet{}
	sheet.Add("month", output.Text(res.GetMonth()))
	sheet.Add("plan", output.Text(res.GetPlan()))
	sheet.Add("price book", output.Number(res.GetPriceBook()))
	sheet.Add("as of", a.moment(res.GetAsOf()))
	sheet.Add("total", output.Cell{Text: output.Cents(res.GetTotalCents()) + " " + res.GetCurrency(), Tone: output.Strong})
	grid := &output.Grid{
		Columns: []output.Column{
			{Head: "LINE"},
			{Head: "QUANTITY", Right: true},
			{Head: "INCLUDED", Right: true},
			{Head: "UNIT PRICE", Right: true, Wide: true},
			{Head: "EXACT", Right: true, Wide: true},
			{Head: "AMOUNT", Right: true},
			{Head: "METER", Wide: true},
		},
		Empty: "Nothing is billed yet.",
	}
	for _, l := range res.GetLines() {
		quantity, included, unit := output.Text(""), output.Text(""), output.Text("")
		if l.GetMeter() != "" {
			quantity = output.Text(quantityText(l.GetMeter(), l.GetQuantity()))
			included = output.Text(quantityText(l.GetMeter(), l.GetIncluded()))
			unit = output.Text(output.NanoUSD(l.GetUnitNanoUsd()))
		}
		grid.Add(output.Text(l.GetText()), quantity, included, unit,
			output.Text(output.NanoUSD(l.GetAmountNanoUsd())), output.Text(output.Cents(l.GetCents())), output.Text(l.GetMeter()))
	}
	return output.View{
		Answer: res,
		Items:  output.Items(res.GetLines()),
		Names:  output.NamesOf(res.GetLines(), (*usagev1.InvoiceLine).GetId),
		Blocks: []output.Block{sheet, grid},
	}
}
