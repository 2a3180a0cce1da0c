package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ingest/broker"
)

// TestWorkdaysSecondJob sends Workday's records of somebody with two jobs, and ends the
// second job. The access that the second job gave is taken, and nothing else.
func TestWorkdaysSecondJob(t *testing.T) {
	t.Parallel()
	const its = "source: cloudevents, settings: {types: [worker.*, security.*]}"
	require.Contains(t, stack.DefaultTemplate, its)
	r := startRig(t, stack.Options{Template: strings.Replace(withBreaker("{enabled: false}"), its, "source: workday, settings: {zone: UTC}", 1)})
	says := func(record string) {
		require.NoError(t, r.Publisher.Publish(t.Context(), stack.TopicEvents, []broker.Message{{
			Key: "701", Value: []byte(record), Headers: map[string]string{"content-type": "application/xml"},
		}}))
	}
	has := func() (access []string) {
		all := r.accounts(t)
		for _, app := range []string{"chat", "crm", "directory", "wiki"} {
			for _, u := range all[app]["701"] {
				if u.Active {
					access = append(access, app)
					for _, group := range u.Groups {
						access = append(access, app+"/"+group.Display)
					}
				}
			}
		}
		return access
	}
	first := workdayJob(1, "P-1", "Production", "2025-01-01")
	second := workdayJob(0, "P-2", "Sales", "2025-03-01")
	log := workdayEntry("w1", "Hire Employee", "2025-01-01") + workdayEntry("w2", "Add Additional Job", "2025-03-01")
	says(workdayRecord("2025-03-01", first+second, log))
	require.Eventually(t, func() bool { return len(has()) == 10 }, rest, 50*time.Millisecond)
	r.awaitRest(t)
	assert.Equal(t, []string{"chat", "chat/general", "chat/sales", "crm", "crm/sales", "directory", "directory/everyone", "directory/staff", "wiki", "wiki/readers"}, has())

	says(workdayRecord("2025-06-01", first, log+workdayEntry("w3", "End Additional Job", "2025-05-31")))
	require.Eventually(t, func() bool { return len(has()) == 7 }, rest, 50*time.Millisecond)
	r.awaitRest(t)
	assert.Equal(t, []string{"chat", "chat/general", "directory", "directory/everyone", "directory/staff", "wiki", "wiki/readers"}, has())
	assert.Empty(t, r.attention(t))
}

// workdayRecord returns Workday's answer about worker 701 as of a day.
func workdayRecord(asOf, jobs, log string) string {
	return `<wd:Get_Workers_Response xmlns:wd="urn:com.workday/bsvc">
<wd:Response_Filter><wd:As_Of_Effective_Date>` + asOf + `</wd:As_Of_Effective_Date></wd:Response_Filter>
<wd:Response_Group><wd:Include_Additional_Jobs>1</wd:Include_Additional_Jobs></wd:Response_Group>
<wd:Response_Data><wd:Worker><wd:Worker_Reference><wd:ID wd:type="Employee_ID">701</wd:ID></wd:Worker_Reference><wd:Worker_Data>
<wd:Personal_Data><wd:Name_Data><wd:Legal_Name_Data><wd:Name_Detail_Data><wd:First_Name>Wanda</wd:First_Name><wd:Last_Name>Pike</wd:Last_Name></wd:Name_Detail_Data></wd:Legal_Name_Data></wd:Name_Data></wd:Personal_Data>
<wd:Employment_Data>` + jobs + `<wd:Worker_Status_Data><wd:Active>1</wd:Active><wd:Hire_Date>2025-01-01</wd:Hire_Date></wd:Worker_Status_Data></wd:Employment_Data>
<wd:Transaction_Log_Entry_Data>` + log + `</wd:Transaction_Log_Entry_Data></wd:Worker_Data></wd:Worker></wd:Response_Data></wd:Get_Workers_Response>`
}

func workdayJob(primary int, id, department, start string) string {
	return fmt.Sprintf(`<wd:Worker_Job_Data wd:Primary_Job="%d"><wd:Position_Data><wd:Position_ID>%s</wd:Position_ID><wd:Business_Title>Clerk</wd:Business_Title><wd:Start_Date>%s</wd:Start_Date></wd:Position_Data>
<wd:Position_Organizations_Data><wd:Position_Organization_Data><wd:Organization_Data><wd:Organization_Name>%s</wd:Organization_Name>
<wd:Organization_Type_Reference><wd:ID wd:type="Organization_Type_ID">Supervisory</wd:ID></wd:Organization_Type_Reference></wd:Organization_Data></wd:Position_Organization_Data></wd:Position_Organizations_Data></wd:Worker_Job_Data>`,
		primary, id, start, department)
}

// workdayEntry returns a transaction that took effect on a day and was entered on that
// day.
func workdayEntry(wid, process, day string) string {
	return fmt.Sprintf(`<wd:Transaction_Log_Entry><wd:Transaction_Log_Reference><wd:ID wd:type="WID">%s</wd:ID></wd:Transaction_Log_Reference><wd:Transaction_Log_Data>
<wd:Transaction_Log_Type_Reference><wd:ID wd:type="Business_Process_Type">%s</wd:ID></wd:Transaction_Log_Type_Reference>
<wd:Transaction_Effective_Moment>%sT00:00:00Z</wd:Transaction_Effective_Moment><wd:Transaction_Entry_Moment>%sT09:00:00Z</wd:Transaction_Entry_Moment></wd:Transaction_Log_Data></wd:Transaction_Log_Entry>`,
		wid, process, day, day)
}
