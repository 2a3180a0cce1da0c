package workday_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/workday"
)

// document returns a worker with one transaction of a process, as of 2026-11-20.
func document(process, effective, status string) []byte {
	return fmt.Appendf(nil, `<Get_Workers_Response><Response_Data><Worker><Worker_Reference><ID type="Employee_ID">701</ID></Worker_Reference><Worker_Data>
<Personal_Data><Name_Data><Legal_Name_Data><Name_Detail_Data><First_Name>Wanda</First_Name><Last_Name>Pike</Last_Name></Name_Detail_Data></Legal_Name_Data></Name_Data></Personal_Data>
<Employment_Data><Worker_Status_Data><Hire_Date>2025-01-01</Hire_Date>%s</Worker_Status_Data></Employment_Data>
<Transaction_Log_Entry_Data><Transaction_Log_Entry><Transaction_Log_Reference><ID type="WID">t1</ID></Transaction_Log_Reference><Transaction_Log_Data>
<Transaction_Log_Description>%s</Transaction_Log_Description><Transaction_Effective_Moment>%sT00:00:00.000-08:00</Transaction_Effective_Moment>
<Transaction_Entry_Moment>2026-11-20T03:00:00.000-08:00</Transaction_Entry_Moment></Transaction_Log_Data></Transaction_Log_Entry></Transaction_Log_Entry_Data>
</Worker_Data></Worker></Response_Data></Get_Workers_Response>`, status, process, effective)
}

// The record decides whether somebody is employed, not the name of the process.
func TestTheRecordBeatsTheNameOfTheProcess(t *testing.T) {
	opened, err := workday.Kind.Open(source.Settings{"zone": "Europe/Berlin"})
	require.NoError(t, err)
	const left = "<Active>0</Active><Terminated>1</Terminated><Termination_Date>2026-11-18</Termination_Date>"
	for _, c := range []struct {
		name, process, effective, status string
		want                             []hr.EventType
		refused                          string
	}{
		{name: "employed", process: "Change Job", effective: "2026-11-20", status: "<Active>1</Active>", want: []hr.EventType{hr.EventTransferred}},
		{name: "employed, by an unknown process", process: "Edit Pet", effective: "2026-11-20", status: "<Active>1</Active>", want: []hr.EventType{hr.EventUpdated}},
		{name: "retired", process: "Retire Employee", effective: "2026-11-18", status: left, want: []hr.EventType{hr.EventTerminated}},
		{name: "moved to a company that is sold", process: "Transfer Employee", effective: "2026-11-18", status: left, want: []hr.EventType{hr.EventTerminated}},
		{name: "an address changed after the end", process: "Edit Address", effective: "2026-11-20", status: left, want: []hr.EventType{hr.EventTerminated}},
		{name: "Terminated alone", process: "Merge Company", effective: "2026-11-20", status: "<Terminated>true</Terminated>", want: []hr.EventType{hr.EventTerminated}},
		{name: "not active alone", process: "Merge Company", effective: "2026-11-20", status: "<Active>false</Active>", want: []hr.EventType{hr.EventTerminated}},
		{name: "a date alone", process: "Change Job", effective: "2026-11-20", status: "<Termination_Date>2026-11-18</Termination_Date>", want: []hr.EventType{hr.EventTerminated}},
		{name: "a date to come", process: "Change Job", effective: "2026-11-20", status: "<Active>1</Active><Termination_Date>2026-12-18</Termination_Date>", want: []hr.EventType{hr.EventTransferred}},
		{name: "the date of an earlier employment", process: "Change Job", effective: "2026-11-20", status: "<Active>1</Active><Termination_Date>2024-12-18</Termination_Date>", want: []hr.EventType{hr.EventTransferred}},
		{name: "not active because not begun", process: "Edit Address", effective: "2024-12-20", status: "<Active>0</Active>", want: nil, refused: "not known"},
		{name: "a hire of who has left", process: "Hire Employee", effective: "2025-01-01", status: left, want: []hr.EventType{hr.EventHired, hr.EventTerminated}},
		{name: "it contradicts itself", process: "Change Job", effective: "2026-11-20", status: "<Active>1</Active><Termination_Date>2026-11-18</Termination_Date>", refused: "said to be active"},
		{name: "an unknown process and no word of it", process: "Edit Pet", effective: "2026-11-20", refused: "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, _, err := opened.Decode(source.Record{Value: document(c.process, c.effective, c.status)})
			if c.refused != "" {
				var refusal *source.Error
				require.ErrorAs(t, err, &refusal)
				assert.Contains(t, refusal.Text, c.refused)
				assert.True(t, refusal.Urgent, "it may have been to end access")
				return
			}
			require.NoError(t, err)
			var got []hr.EventType
			for _, e := range events {
				got = append(got, e.Type)
				if e.Type == hr.EventTerminated && c.status == left {
					assert.Equal(t, "2026-11-18", e.Termination.LastDay.String())
				}
			}
			assert.Equal(t, c.want, got)
		})
	}
}
